// The samples of one iteration with their stacks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/detectors/observation.h"
#include "runtime/explain/stall_cause.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/values/stall.h"

namespace tailback {

struct ReadSample {
  const WeighedSample* observed = nullptr;
  ReadStack stack;
  std::optional<size_t> callback;  // see Callbacks

  const Sample& sample() const { return *observed->sample; }
};

// Those that have a snapshot. They point into `observation`.
std::vector<ReadSample> read_samples(StackReader& reader, const StallSeen& observation);

// Equal stacks of one callback are one. Most time first.
std::vector<SampledStack> distinct_stacks(const std::vector<ReadSample>& samples);

// What the stacks tell of the cause. It points into `samples`.
std::vector<StackEvidence> evidence_of(const std::vector<ReadSample>& samples);

}  // namespace tailback
