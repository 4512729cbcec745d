// Time that is not the program's: the machine was suspended, a thread was stopped from outside, or
// the observer itself was late.
#pragma once

#include <cstdint>
#include <map>

#include "runtime/detectors/observation.h"
#include "runtime/detectors/watched_thread.h"
#include "runtime/loops/iteration_tracker.h"
#include "runtime/loops/suspensions.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class ObserverClock {
 public:
  // `interval`: at which poll() is to be called.
  ObserverClock(DetectorInput& input, Nanoseconds threshold, Nanoseconds interval, Emit emit);

  // From when on lateness counts.
  void start() { last_poll_ = clock_.now(); }
  // Notices a suspended machine, and an observer that came late.
  void poll();

  // Time between two ticks that does not count. `iteration` may be nullptr.
  Nanoseconds not_counted(const IterationTracker* iteration, uint64_t begin_tick,
                          uint64_t end_tick) const;
  // Emits that a thread was stopped within an iteration that is now over; once for all threads of a
  // process.
  void note_stop(const WatchedThread& thread, const std::string& process,
                 const IterationTracker& iteration);
  // Adds to a stall what limits its report.
  void add_limits(StallSeen& stall, const IterationTracker* iteration, uint64_t begin_tick) const;

 private:
  void emit_note(NoteKind kind, uint64_t tick, Nanoseconds length);

  Clock& clock_;
  Nanoseconds threshold_;
  Nanoseconds interval_;
  Emit emit_;
  Suspensions suspensions_;
  uint64_t last_poll_ = 0;
  uint64_t polls_ = 0;
  Nanoseconds late_{};       // how much later than planned the last poll came that was too late
  uint64_t late_after_ = 0;  // ticks of the polls before and after that
  uint64_t late_until_ = 0;
  bool late_reported_ = false;
  std::map<int, uint64_t> stops_reported_;  // pid → tick of the last note on it
};

}  // namespace tailback
