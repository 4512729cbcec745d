// Makes observations of iterations: who, where, how long, with which samples and limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/detectors/observation.h"
#include "runtime/detectors/observer_clock.h"
#include "runtime/detectors/watched_thread.h"
#include "runtime/loops/iteration_tracker.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/process_list.h"

namespace tailback {

// Part of an iteration that some scope of the program is allowed to block in.
void note_allowed(StallSeen& stall, Nanoseconds allowed);

class StallBuilder {
 public:
  StallBuilder(DetectorInput& input, const ProcessList& processes, const ObserverClock& health,
               Nanoseconds threshold)
      : input_(input), processes_(processes), health_(health), threshold_(threshold) {}

  // What is known of an iteration, but for its state, its id and the pending events. `iteration`
  // may be nullptr.
  StallSeen build(const WatchedThread& thread, const SiteView& site, uint64_t begin_tick,
                  Nanoseconds duration, const IterationTracker* iteration);

  // One sample of a thread where it stands, with the owners of what it waits for.
  std::shared_ptr<const Sample> sample(const WatchedThread& thread);

  std::string process_name(const WatchedThread& thread) const;
  // How long a stall lasts before it is reported while it still goes on.
  Nanoseconds first_report_age() const;
  uint64_t next_id() { return next_id_++; }

 private:
  DetectorInput& input_;
  const ProcessList& processes_;
  const ObserverClock& health_;
  Nanoseconds threshold_;
  uint64_t next_id_ = 1;
};

}  // namespace tailback
