// The samples of one iteration with their stacks, and which of them is to blame.
#pragma once

#include <string>
#include <vector>

#include "runtime/detectors/observation.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/values/stall.h"

namespace tailback {

struct ReadSample {
  const WeighedSample* observed = nullptr;
  ReadStack stack;

  const Sample& sample() const { return *observed->sample; }
};

// Those that have a snapshot. They point into `observation`.
std::vector<ReadSample> read_samples(StackReader& reader, const StallSeen& observation);

// Equal stacks are one. Most time first.
std::vector<SampledStack> distinct_stacks(const std::vector<ReadSample>& samples);

// The sample whose stack shows what took the time, given the cause; nullptr if there are none.
const ReadSample* sample_to_blame(const std::vector<ReadSample>& samples, Cause cause);

}  // namespace tailback
