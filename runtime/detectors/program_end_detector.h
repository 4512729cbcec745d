// Main threads that have run an event loop and have been in one call for long: it may be that the
// program ends and waits. What the call's stack says is for the analysis.
#pragma once

#include <cstdint>

#include "runtime/detectors/detector.h"
#include "runtime/detectors/judged_sites.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class ProgramEndDetector final : public Detector {
 public:
  ProgramEndDetector(DetectorInput& input, const ThreadTable& threads, StallBuilder& builder,
                     const JudgedSites& judged, Nanoseconds threshold, Emit emit);

  Nanoseconds interval() const override { return std::chrono::milliseconds(100); }
  void poll() override;
  void on_thread_end(const WatchedThread& thread, Ending) override { waits_.erase(thread); }

 private:
  struct Wait {
    uint64_t entered = 0;     // tick of the call's entry
    Nanoseconds next{};       // at this age of the call it is read
    uint64_t not_before = 0;  // tick
    Nanoseconds pause{};      // between two readings of a thread
  };
  bool has_run_loop(const WatchedThread& thread) const;
  void poll_thread(const WatchedThread& thread);
  std::vector<OwnerSample> others_of(const WatchedThread& thread, const Sample& sample);

  DetectorInput& input_;
  const Clock& clock_;
  const ThreadTable& threads_;
  StallBuilder& builder_;
  const JudgedSites& judged_;
  uint64_t threshold_ticks_;
  Emit emit_;
  PerThread<Wait> waits_;
};

}  // namespace tailback
