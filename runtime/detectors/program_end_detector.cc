#include "runtime/detectors/program_end_detector.h"

#include <algorithm>
#include <utility>

#include "runtime/locks/lock_holders.h"
#include "runtime/locks/owner_chain.h"
#include "runtime/loops/loop_choice.h"

namespace tailback {

namespace {

using std::chrono::seconds;

// A program may be in long calls all the time and not end.
constexpr Nanoseconds kShortestPause = seconds(1);
constexpr Nanoseconds kLongestPause = seconds(8);
// A wait that goes on is read again at this multiple of its age.
constexpr int kSpacing = 4;

}  // namespace

ProgramEndDetector::ProgramEndDetector(DetectorInput& input, const ThreadTable& threads,
                                       StallBuilder& builder, const JudgedSites& judged,
                                       Nanoseconds threshold, Emit emit)
    : input_(input),
      clock_(input.clock()),
      threads_(threads),
      builder_(builder),
      judged_(judged),
      threshold_ticks_(clock_.ticks(threshold)),
      emit_(std::move(emit)) {}

void ProgramEndDetector::poll() {
  for (const WatchedThread* thread : threads_.live()) {
    if (thread->tid == thread->pid && has_run_loop(*thread)) poll_thread(*thread);
  }
}

bool ProgramEndDetector::has_run_loop(const WatchedThread& thread) const {
  if (thread.record->sites.load(std::memory_order_relaxed) == 0) return false;
  const std::vector<SiteView> loops =
      loops_among(thread.choice(), view_sites(*thread.record), *thread.record, threshold_ticks_);
  return std::any_of(loops.begin(), loops.end(),
                     [&](const SiteView& site) { return !judged_.is_no_loop(thread, site.key); });
}

// Who took a semaphore last may be waited for (a thread of Python has one for its end); else all if
// they are few.
std::vector<OwnerSample> ProgramEndDetector::others_of(const WatchedThread& thread,
                                                       const Sample& sample) {
  constexpr size_t kFew = 4;
  std::vector<int> others = input_.proc().threads(thread.pid);
  std::erase(others, thread.tid);
  if (sample.call->reading && sample.call->reading->kind == LockKind::kSemaphore) {
    const auto taker = semaphore_taker(input_.segment(), thread.pid, sample.call->reading->address);
    if (taker && std::find(others.begin(), others.end(), taker->tid) != others.end()) {
      others = {taker->tid};
    }
  }
  std::vector<OwnerSample> samples;
  if (others.size() > kFew) return samples;
  for (const int tid : others) samples.push_back(sample_owner(input_, thread.pid, tid));
  return samples;
}

void ProgramEndDetector::poll_thread(const WatchedThread& thread) {
  const auto call = view_call(thread.record->call);
  // Who waits for events does not end.
  if (!call || tracks_iterations(call->function)) return;
  Wait& wait = waits_.of(thread);
  if (std::exchange(wait.entered, call->entered) != call->entered) {
    wait.next = builder_.first_report_age();
  }
  const uint64_t now = clock_.now();
  const Nanoseconds age = clock_.duration(now - std::min(now, call->entered));
  if (age < wait.next || now < wait.not_before) return;
  wait.next = kSpacing * age;
  wait.pause = std::clamp(2 * wait.pause, kShortestPause, kLongestPause);
  wait.not_before = now + clock_.ticks(wait.pause);
  auto sample = builder_.sample(thread);
  if (!sample->call || !sample->snapshot || !sample->recorded.same_call(*call)) return;
  ProgramEndSeen seen;
  seen.pid = thread.pid;
  seen.tid = thread.tid;
  seen.process = builder_.process_name(thread);
  seen.thread = thread.name;
  seen.time = clock_.wall_time(now);
  seen.waited = age;
  if (sample->owners.empty()) seen.others = others_of(thread, *sample);
  seen.sample = std::move(sample);
  emit_(std::move(seen));
}

}  // namespace tailback
