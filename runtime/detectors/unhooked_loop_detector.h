// Finds loops whose waits the recorder can't see (unhooked_loop.h), and emits their stalls.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/detectors/detector.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/observer_clock.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/loops/iteration_tracker.h"
#include "runtime/loops/unhooked_loop.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class UnhookedLoopDetector final : public Detector {
 public:
  UnhookedLoopDetector(DetectorInput& input, ThreadTable& threads, StallBuilder& builder,
                       ObserverClock& health, Nanoseconds threshold, Nanoseconds interval,
                       Emit emit);

  Nanoseconds interval() const override { return interval_; }
  void poll() override;
  void on_thread_end(const WatchedThread& thread, Ending ending) override;

  // Stalls of which no stack could be read.
  uint64_t unread() const { return unread_; }

 private:
  // What was seen of a thread from outside.
  struct ThreadState {
    UnhookedLoop loop;
    std::optional<IterationTracker> iteration;
    Nanoseconds slack{};       // by how much it may have begun before it was seen
    uint64_t next_survey = 0;  // tick
    Nanoseconds survey_pause{};
  };

  void survey(const WatchedThread& thread, ThreadState& state, uint64_t now);
  void follow(const WatchedThread& thread, ThreadState& state);
  // Polls a loop: updates where its thread is.
  void look(const WatchedThread& thread, UnhookedLoop& loop, uint64_t now);
  // The loop's thread has been away from its wait for this long.
  void on_away(const WatchedThread& thread, ThreadState& state, Nanoseconds age);
  void report_in_progress(const WatchedThread& thread, ThreadState& state, Nanoseconds age);
  // An iteration that is over, or of which no more will be known.
  void end(const WatchedThread& thread, ThreadState& state, StallState how);
  void emit(const WatchedThread& thread, const ThreadState& state, Nanoseconds length,
            StallState how);

  Clock& clock_;
  ProcSource& proc_;
  ThreadTable& threads_;
  StallBuilder& builder_;
  ObserverClock& health_;
  Emit emit_;
  Nanoseconds threshold_;
  Nanoseconds interval_;
  PerThread<ThreadState> states_;
  unsigned surveys_left_ = 0;  // of this poll
  unsigned followed_left_ = 0;
  uint64_t unread_ = 0;
};

}  // namespace tailback
