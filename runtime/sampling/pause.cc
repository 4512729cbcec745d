#include "runtime/sampling/pause.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "runtime/kernel/kernel_view.h"

namespace tailback {

namespace {

using contract::PauseState;

constexpr uint32_t as_word(PauseState state) {
  return static_cast<uint32_t>(state);
}

// A thread that is ready but has no CPU answers when it gets one.
constexpr auto kPatience = std::chrono::milliseconds(8);

bool change(contract::ThreadRecord& record, PauseState from, PauseState to) {
  uint32_t expected = as_word(from);
  return record.pause_state.compare_exchange_strong(expected, as_word(to));
}

bool wait_until_held(const contract::ThreadRecord& record) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (record.pause_state.load(std::memory_order_acquire) == as_word(PauseState::kHeld))
      return true;
    std::this_thread::sleep_for(std::chrono::microseconds(10));
  }
  return false;
}

bool ask(contract::ThreadRecord& record, const contract::ProcessRecord& process, int pid, int tid) {
  change(record, PauseState::kExpired, PauseState::kNone);
  // Else an earlier request was never answered and never taken back: only a hostile target's.
  if (!change(record, PauseState::kNone, PauseState::kAsked)) return false;
  // A program that takes the signal for itself says so first, then waits for what was asked before.
  if (process.pause_ready.load() == 0) {
    change(record, PauseState::kAsked, PauseState::kNone);
    return false;
  }
  const auto stat = read_thread_stat(pid, tid);
  const bool sent = stat && stat->state == 'R' && syscall(SYS_tgkill, pid, tid, SIGURG) == 0;
  if ((!sent || !wait_until_held(record)) &&
      change(record, PauseState::kAsked, PauseState::kNone)) {
    return false;
  }
  if (record.pause_state.load(std::memory_order_acquire) == as_word(PauseState::kHeld)) return true;
  change(record, PauseState::kExpired, PauseState::kNone);
  return false;
}

// Whoever lets a thread go must be the one that holds it.
class Takers {
 public:
  bool add(const contract::ThreadRecord& record) {
    const std::lock_guard lock(mutex_);
    return records_.insert(&record).second;
  }
  void remove(const contract::ThreadRecord& record) {
    const std::lock_guard lock(mutex_);
    records_.erase(&record);
  }

 private:
  std::mutex mutex_;
  std::set<const contract::ThreadRecord*> records_;
};

Takers& takers() {
  static Takers all;
  return all;
}

}  // namespace

std::optional<Hold> Hold::take(contract::ThreadRecord& record,
                               const contract::ProcessRecord& process, int pid, int tid) {
  if (process.pause_ready.load(std::memory_order_acquire) == 0) return std::nullopt;
  if (!would_handle_signal(pid, tid, SIGURG)) return std::nullopt;
  if (!takers().add(record)) return std::nullopt;
  if (ask(record, process, pid, tid)) return Hold(record);
  takers().remove(record);
  return std::nullopt;
}

Hold::Hold(contract::ThreadRecord& record) : record_(&record), context_(record.pause_context) {}

Hold::Hold(Hold&& other) noexcept
    : record_(std::exchange(other.record_, nullptr)), context_(other.context_) {}

Hold::~Hold() {
  release();
}

bool Hold::release() {
  if (!record_) return false;
  contract::ThreadRecord& record = *std::exchange(record_, nullptr);
  const bool was_held = change(record, PauseState::kHeld, PauseState::kReleased);
  if (!was_held) change(record, PauseState::kExpired, PauseState::kNone);
  takers().remove(record);
  return was_held;
}

}  // namespace tailback
