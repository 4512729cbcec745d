// How long threads have waited for a CPU, read now and then between their long iterations: for
// iterations that no poll sees before they end.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/detectors/watched_thread.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class RunnableReadings {
 public:
  explicit RunnableReadings(DetectorInput& input) : clock_(input.clock()), proc_(input.proc()) {}

  // A poll makes only so many readings.
  void begin_poll();
  // Reads a thread that is in no long iteration, if that is due.
  void read(const WatchedThread& thread);
  // Time without a CPU since a reading before this tick; nothing if there is none.
  std::optional<Nanoseconds> since(const WatchedThread& thread, uint64_t begin_tick);
  void forget(const WatchedThread& thread) { readings_.erase(thread); }

 private:
  struct Reading {
    std::optional<Nanoseconds> runnable;
    uint64_t tick = 0;
  };

  const Clock& clock_;
  ProcSource& proc_;
  PerThread<Reading> readings_;
  unsigned left_ = 0;  // of this poll
};

}  // namespace tailback
