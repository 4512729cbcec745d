#include "runtime/detectors/session_tracker.h"

#include "runtime/segment/live_threads.h"

namespace tailback {

using contract::ThreadRecord;
using contract::ThreadState;

namespace {

void free_record(ThreadRecord& record) {
  record.state.store(static_cast<uint32_t>(ThreadState::kFree), std::memory_order_release);
}

}  // namespace

SessionTracker::SessionTracker(DetectorInput& input, ProcessList& processes, ThreadTable& threads,
                               EventReader& events, ObserverClock& health, Verdicts& verdicts,
                               Nanoseconds interval)
    : segment_(input.segment()),
      proc_(input.proc()),
      processes_(processes),
      threads_(threads),
      events_(events),
      health_(health),
      verdicts_(verdicts),
      interval_(interval) {}

void SessionTracker::poll() {
  // Many processes are asked for more seldom whether they live.
  constexpr size_t kFewProcesses = 32;
  ++polls_;
  health_.poll();
  hand_on_verdicts();
  // A process that ends between the two questions is one that ended, not a thread that did.
  const std::vector<ThreadKey> gone = polls_ % 50 == 0 ? gone_threads() : std::vector<ThreadKey>{};
  poll_processes(processes_.count() <= kFewProcesses || polls_ % 5 == 0);
  events_.read();
  retire_gone_threads(gone);
  poll_threads();
}

void SessionTracker::hand_on_verdicts() {
  for (const AnalysisVerdict& verdict : verdicts_.take()) {
    for (Detector* detector : detectors_) detector->on_verdict(verdict);
  }
}

void SessionTracker::poll_processes(bool check_lives) {
  for (const uint32_t process : processes_.update(check_lives)) {
    events_.read();  // its last words come first
    retire_process(process, Ending::kProcess);
  }
  seen_processes_.store(processes_.seen());
  live_processes_.store(processes_.count());
}

void SessionTracker::poll_threads() {
  live_.clear();
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used; ++index) {
    const ThreadState state = thread_state(segment_.threads[index]);
    if (state == ThreadState::kExited) {
      events_.read();  // its last words come first
      threads_.watch(index);
      retire_thread(index, Ending::kThread);
    } else if (state == ThreadState::kLive) {
      if (WatchedThread* thread = threads_.watch(index)) live_.push_back(thread);
    }
  }
  threads_.set_live(live_);
}

void SessionTracker::retire_thread(uint32_t index, Ending ending) {
  ThreadRecord& record = segment_.threads[index];
  const WatchedThread* thread = threads_.watched(index);
  if (thread && thread->generation != record.generation.load(std::memory_order_acquire)) return;
  if (thread) {
    for (Detector* detector : detectors_) detector->on_thread_end(*thread, ending);
    threads_.forget(index);
  }
  if (ending != Ending::kSession) free_record(record);
}

void SessionTracker::retire_process(uint32_t process, Ending ending) {
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used; ++index) {
    const ThreadRecord& record = segment_.threads[index];
    if (thread_state(record) == ThreadState::kFree ||
        record.process.load(std::memory_order_relaxed) != process) {
      continue;
    }
    threads_.watch(index);  // one that was never polled counts too
    retire_thread(index, ending);
  }
  processes_.free(process);
}

std::vector<SessionTracker::ThreadKey> SessionTracker::gone_threads() {
  std::vector<ThreadKey> gone;
  for (const WatchedThread* thread : threads_.all()) {
    if (!proc_.thread_lives(thread->pid, thread->tid)) {
      gone.push_back({thread->index, thread->generation});
    }
  }
  return gone;
}

void SessionTracker::retire_gone_threads(const std::vector<ThreadKey>& gone) {
  for (const ThreadKey& key : gone) {
    const WatchedThread* thread = threads_.watched(key.index);
    if (!thread || thread->generation != key.generation) continue;  // its process has ended
    if (thread_state(segment_.threads[key.index]) == ThreadState::kLive) {
      retire_thread(key.index, Ending::kThread);
    } else {
      threads_.forget(key.index);
    }
  }
}

void SessionTracker::finish() {
  for (const uint32_t process : processes_.update(true)) {
    retire_process(process, Ending::kProcess);
  }
  // Whoever still lives is left alone from here on.
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used; ++index) retire_thread(index, Ending::kSession);
  events_.read();
}

}  // namespace tailback
