// Finds the main threads that wait for events on a condition (condition_loops.h): asks analysis of
// their waits, and takes those for loops that it says are.
#pragma once

#include <cstdint>

#include "runtime/detectors/detector.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class ConditionLoopDetector final : public Detector {
 public:
  ConditionLoopDetector(DetectorInput& input, ThreadTable& threads, StallBuilder& builder,
                        Emit emit)
      : input_(input), threads_(threads), builder_(builder), emit_(std::move(emit)) {}

  Nanoseconds interval() const override { return std::chrono::milliseconds(100); }
  void poll() override;
  void on_verdict(const AnalysisVerdict& verdict) override;
  void on_thread_end(const WatchedThread& thread, Ending) override { asked_.erase(thread); }

 private:
  struct Asked {
    unsigned count = 0;
    unsigned polls = 0;
    unsigned pause = 1;  // in polls; grows
  };

  DetectorInput& input_;
  ThreadTable& threads_;
  StallBuilder& builder_;
  Emit emit_;
  PerThread<Asked> asked_;
};

}  // namespace tailback
