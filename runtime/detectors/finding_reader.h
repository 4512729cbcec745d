// Reads what code inside a target has found out by itself, while the target still has its maps.
#pragma once

#include "runtime/detectors/detector.h"
#include "runtime/detectors/observation.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/process_list.h"
#include "runtime/segment/findings.h"

namespace tailback {

class FindingReader final : public Detector {
 public:
  FindingReader(DetectorInput& input, const ProcessList& processes, Nanoseconds interval, Emit emit)
      : input_(input),
        processes_(processes),
        interval_(interval),
        emit_(std::move(emit)),
        findings_(input.segment()) {}

  Nanoseconds interval() const override { return interval_; }
  void poll() override;

  uint64_t lost() const { return findings_.lost(); }

 private:
  FindingSeen read(const contract::Finding& finding);

  DetectorInput& input_;
  const ProcessList& processes_;
  Nanoseconds interval_;
  Emit emit_;
  Findings findings_;
};

}  // namespace tailback
