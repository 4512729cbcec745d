// Follows the processes and threads of a session: which are there, and which have ended. Reads the
// ring before a thread is let go, and hands on what analysis has found out. Is polled before the
// other detectors.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime/detectors/detector.h"
#include "runtime/detectors/event_reader.h"
#include "runtime/detectors/observer_clock.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/process_list.h"

namespace tailback {

class SessionTracker final : public Detector {
 public:
  SessionTracker(DetectorInput& input, ProcessList& processes, ThreadTable& threads,
                 EventReader& events, ObserverClock& health, Verdicts& verdicts,
                 Nanoseconds interval);

  // A detector that is to know of ends and verdicts. In the order of these calls.
  void add(Detector& detector) { detectors_.push_back(&detector); }

  Nanoseconds interval() const override { return interval_; }
  void poll() override;
  // Lets all threads go.
  void finish() override;

  // Processes of the session that live, and that were ever seen. Safe from any thread.
  size_t live_processes() const { return live_processes_.load(); }
  uint64_t seen_processes() const { return seen_processes_.load(); }

 private:
  struct ThreadKey {
    uint32_t index;
    uint32_t generation;
  };

  void hand_on_verdicts();
  void poll_processes(bool check_lives);
  void poll_threads();
  // Watched threads that ended without a word to the recorder (a raw exit, an exec). Their last
  // words are to be read before they are retired.
  std::vector<ThreadKey> gone_threads();
  void retire_gone_threads(const std::vector<ThreadKey>& gone);
  void retire_thread(uint32_t index, Ending ending);
  void retire_process(uint32_t process, Ending ending);

  contract::Segment& segment_;
  ProcSource& proc_;
  ProcessList& processes_;
  ThreadTable& threads_;
  EventReader& events_;
  ObserverClock& health_;
  Verdicts& verdicts_;
  Nanoseconds interval_;
  std::vector<Detector*> detectors_;
  std::vector<WatchedThread*> live_;  // in the making; its room is used again
  uint64_t polls_ = 0;
  std::atomic<size_t> live_processes_{0};
  std::atomic<uint64_t> seen_processes_{0};
};

}  // namespace tailback
