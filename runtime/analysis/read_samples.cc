#include "runtime/analysis/read_samples.h"

#include <algorithm>
#include <utility>

namespace tailback {

namespace {

std::string function_of(const Sample& sample) {
  return sample.call ? sample.call->call.function : std::string();
}

}  // namespace

std::vector<ReadSample> read_samples(StackReader& reader, const StallSeen& observation) {
  std::vector<ReadSample> samples;
  for (const WeighedSample& observed : observation.samples) {
    if (!observed.sample->snapshot) continue;
    samples.push_back({&observed, reader.read(observation.pid, *observed.sample), std::nullopt});
  }
  return samples;
}

std::vector<SampledStack> distinct_stacks(const std::vector<ReadSample>& samples) {
  std::vector<SampledStack> distinct;
  for (const ReadSample& read : samples) {
    const std::string function = function_of(read.sample());
    auto same = std::find_if(distinct.begin(), distinct.end(), [&](const SampledStack& known) {
      return known.call == function && known.callback == read.callback &&
             known.stack == read.stack.frames;
    });
    if (same == distinct.end()) {
      distinct.push_back({read.stack.frames,
                          read.stack.culprit,
                          read.stack.complete,
                          function,
                          0,
                          {},
                          read.callback});
      same = std::prev(distinct.end());
    }
    ++same->samples;
    same->weight += read.observed->weight;
  }
  std::stable_sort(
      distinct.begin(), distinct.end(),
      [](const SampledStack& a, const SampledStack& b) { return a.weight > b.weight; });
  return distinct;
}

std::vector<StackEvidence> evidence_of(const std::vector<ReadSample>& samples) {
  std::vector<StackEvidence> evidence;
  for (const ReadSample& read : samples) {
    const Sample& sample = read.sample();
    StackEvidence one;
    if (sample.call) one.call = sample.call->cause;
    one.function = function_of(sample);
    one.held = sample.held;
    one.in_fault = sample.in_fault;
    one.has_owners = !sample.owners.empty();
    one.stack = &read.stack.frames;
    one.culprit = read.stack.culprit;
    one.weight = read.observed->weight;
    one.callback = read.callback;
    evidence.push_back(std::move(one));
  }
  return evidence;
}

}  // namespace tailback
