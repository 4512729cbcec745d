#include "runtime/advise/process_lifetimes.h"

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/kernel/kernel_view.h"

namespace tailback {

using contract::ProcessRecord;
using contract::ProcessState;

namespace {

// Lives that are kept, for their median, and processes that are waited for at once.
constexpr size_t kMostLives = 65536;
constexpr size_t kMostWaited = 512;
constexpr uint64_t kFewStarts = 5;

Nanoseconds boot_time() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

// The kernel tells when a process began in ticks of this length.
Nanoseconds clock_tick() {
  return Nanoseconds(std::chrono::seconds(1)) / std::max(sysconf(_SC_CLK_TCK), 1L);
}

}  // namespace

ProcessLifetimes::~ProcessLifetimes() {
  for (const auto& [pid, life] : living_) {
    if (life.pidfd >= 0) close(life.pidfd);
  }
}

void ProcessLifetimes::look() {
  const uint32_t used = std::min(segment_.header.processes_used.load(std::memory_order_relaxed),
                                 contract::kProcessCapacity);
  for (uint32_t index = 0; index < used; ++index) {
    const ProcessRecord& record = segment_.processes[index];
    if (record.state.load(std::memory_order_acquire) !=
        static_cast<uint32_t>(ProcessState::kLive)) {
      continue;
    }
    const uint64_t generation = uint64_t{record.generation.load()} + 1;
    const int pid = record.pid.load(std::memory_order_relaxed);
    if (pid <= 0 || known_[index] == generation) continue;
    known_[index] = generation;
    begin(pid, record.attached);
  }
}

void ProcessLifetimes::begin(int pid, uint64_t attached) {
  // One that executes another program attaches again, and is the same process.
  if (const auto known = living_.find(pid); known != living_.end()) {
    if (known->second.pidfd >= 0 && process_lives(pid)) return;
    end(known, clock_.now());
  }
  Life life;
  life.attached = attached;
  life.is_first = seen_++ == 0;
  life.pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  const bool has_ended = life.pidfd < 0 && errno == ESRCH;
  if (!life.is_first) measure_start(pid, attached);
  if (const auto times = read_schedule_times(pid, pid)) {
    life.first_runnable = times->runnable;
    life.runnable = times->runnable;
  }
  if (life.pidfd < 0 && !has_ended) return;  // too many to be followed
  const auto [begun, inserted] = living_.emplace(pid, life);
  if (has_ended) end(begun, clock_.now());
}

void ProcessLifetimes::measure_start(int pid, uint64_t attached) {
  const auto began = read_start_time(pid);
  if (!began) return;
  const Nanoseconds since_attached =
      clock_.duration(clock_.now() - std::min(clock_.now(), attached));
  const Nanoseconds attached_at = boot_time() - since_attached;
  starts_ += attached_at - clock_tick() * static_cast<int64_t>(*began);
  ++measured_;
}

void ProcessLifetimes::end(std::map<int, Life>::iterator life, uint64_t tick) {
  if (life->second.pidfd >= 0) close(life->second.pidfd);
  if (!life->second.is_first) {
    const uint64_t begin = std::min(tick, life->second.attached);
    const Nanoseconds late = life->second.runnable - life->second.first_runnable;
    const Nanoseconds length = std::max(clock_.duration(tick - begin) - late, Nanoseconds::zero());
    ++ended_;
    if (length <= kShortLife && short_lives_.size() < kMostLives) {
      short_lives_.emplace_back(begin, tick);
      short_lengths_.push_back(length);
    }
  }
  living_.erase(life);
}

void ProcessLifetimes::wait(std::chrono::milliseconds time) {
  // Quicker than any process that is worth its start.
  constexpr std::chrono::milliseconds kPause{2};
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    std::vector<pollfd> waited;
    std::vector<int> pids;
    for (const auto& [pid, life] : living_) {
      if (waited.size() == kMostWaited) break;
      waited.push_back({life.pidfd, POLLIN, 0});
      pids.push_back(pid);
    }
    const int ready =
        poll(waited.data(), waited.size(), static_cast<int>(std::min(left, kPause).count()));
    const uint64_t now = clock_.now();
    for (size_t i = 0; ready > 0 && i < waited.size(); ++i) {
      if (waited[i].revents == 0) continue;
      const auto life = living_.find(pids[i]);
      // As long as its parent has not taken note of its end.
      const auto times = read_schedule_times(pids[i], pids[i]);
      if (times && times->runnable > life->second.runnable) life->second.runnable = times->runnable;
      end(life, now);
    }
    look();
    poll_young();
  }
}

// Of many at once no single one matters.
void ProcessLifetimes::poll_young() {
  constexpr size_t kFew = 32;
  constexpr std::chrono::seconds kYoung{2};
  if (living_.size() > kFew) return;
  const uint64_t now = clock_.now();
  for (auto& [pid, life] : living_) {
    if (life.is_first || clock_.duration(now - std::min(now, life.attached)) > kYoung) continue;
    if (const auto times = read_schedule_times(pid, pid)) life.runnable = times->runnable;
  }
}

std::vector<int> ProcessLifetimes::living() const {
  std::vector<int> pids;
  for (const auto& [pid, life] : living_) pids.push_back(pid);
  return pids;
}

uint64_t ProcessLifetimes::covered(std::vector<std::pair<uint64_t, uint64_t>> intervals) {
  std::sort(intervals.begin(), intervals.end());
  uint64_t sum = 0;
  uint64_t until = 0;
  for (const auto& [begin, end] : intervals) {
    if (end > until) sum += end - std::max(begin, until);
    until = std::max(until, end);
  }
  return sum;
}

Spawning ProcessLifetimes::spawning() const {
  Spawning spawning;
  spawning.ended = ended_;
  spawning.short_lived = short_lives_.size();
  if (!short_lives_.empty()) {
    std::vector<Nanoseconds> lengths = short_lengths_;
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
    std::nth_element(lengths.begin(), middle, lengths.end());
    spawning.median_life = *middle;
    spawning.lives = clock_.duration(covered(short_lives_));
  }
  if (measured_ >= kFewStarts) {
    // The beginning is cut down to whole ticks: half of one too early on average.
    spawning.start_known = true;
    spawning.start =
        std::max(starts_ / static_cast<int64_t>(measured_) - clock_tick() / 2, Nanoseconds::zero());
  }
  return spawning;
}

}  // namespace tailback
