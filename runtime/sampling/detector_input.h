// All that a detector reads: the segment, the clock, the kernel, the target's threads. One for each
// thread of the observer that detectors run on.
#pragma once

#include "instrument/contract/record_contract.h"
#include "runtime/kernel/linux_proc_source.h"
#include "runtime/sampling/target_sampler.h"
#include "runtime/sampling/thread_sampler.h"
#include "runtime/segment/clock.h"
#include "runtime/segment/tick_clock.h"

namespace tailback {

class DetectorInput {
 public:
  virtual ~DetectorInput() = default;

  virtual contract::Segment& segment() = 0;
  virtual Clock& clock() = 0;
  virtual ProcSource& proc() = 0;
  virtual ThreadSampler& sampler() = 0;
  // To be called at the beginning of each poll.
  virtual void begin_poll() = 0;
};

// A session that runs.
class LiveInput final : public DetectorInput {
 public:
  explicit LiveInput(contract::Segment& segment)
      : segment_(segment), clock_(segment.header.tick_source), sampler_(segment) {}

  contract::Segment& segment() override { return segment_; }
  Clock& clock() override { return clock_; }
  ProcSource& proc() override { return proc_; }
  ThreadSampler& sampler() override { return sampler_; }
  void begin_poll() override {}

 private:
  contract::Segment& segment_;
  TickClock clock_;
  LinuxProcSource proc_;
  TargetSampler sampler_;
};

}  // namespace tailback
