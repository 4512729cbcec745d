#include "runtime/analysis/read_samples.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "runtime/explain/cause.h"

namespace tailback {

namespace {

std::string function_of(const Sample& sample) {
  return sample.call ? sample.call->call.function : std::string();
}

bool shows(Cause cause, const Sample& sample) {
  if (cause == Cause::kMany) return sample.call.has_value();
  if (cause == Cause::kCpu) return sample.held;
  if (cause == Cause::kPageFault) return sample.in_fault;
  if (cause == Cause::kUnknown || is_blocked(cause)) {
    return sample.call && sample.call->cause == cause;
  }
  return !sample.call.has_value();
}

}  // namespace

std::vector<ReadSample> read_samples(StackReader& reader, const StallSeen& observation) {
  std::vector<ReadSample> samples;
  for (const WeighedSample& observed : observation.samples) {
    if (!observed.sample->snapshot) continue;
    samples.push_back({&observed, reader.read(observation.pid, *observed.sample)});
  }
  return samples;
}

std::vector<SampledStack> distinct_stacks(const std::vector<ReadSample>& samples) {
  std::vector<SampledStack> distinct;
  for (const ReadSample& read : samples) {
    const std::string function = function_of(read.sample());
    auto same = std::find_if(distinct.begin(), distinct.end(), [&](const SampledStack& known) {
      return known.call == function && known.stack == read.stack.frames;
    });
    if (same == distinct.end()) {
      distinct.push_back(
          {read.stack.frames, read.stack.culprit, read.stack.complete, function, 0, {}});
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

const ReadSample* sample_to_blame(const std::vector<ReadSample>& samples, Cause cause) {
  const bool any_shows = std::any_of(samples.begin(), samples.end(), [&](const ReadSample& read) {
    return shows(cause, read.sample());
  });
  const auto is_candidate = [&](const ReadSample& read) {
    return !any_shows || shows(cause, read.sample());
  };
  // Several samples may show one culprit, at different instructions: their time counts together.
  std::map<std::pair<std::string, std::string>, Nanoseconds> weights;
  const auto key = [](const ReadSample& read) {
    const std::vector<Frame>& frames = read.stack.frames;
    const bool has_culprit = read.stack.culprit < frames.size();
    return std::make_pair(function_of(read.sample()),
                          has_culprit ? frames[read.stack.culprit].function : std::string());
  };
  for (const ReadSample& read : samples) {
    if (is_candidate(read)) weights[key(read)] += read.observed->weight;
  }
  // A wait is best explained by the sample that knows the owners, then by the longest. A
  // computation is best explained by the deepest stack.
  const auto rank = [&](const ReadSample& read) {
    const int64_t detail = is_blocked(cause) ? read.observed->weight.count()
                                             : static_cast<int64_t>(read.stack.frames.size());
    return std::make_tuple(weights[key(read)], !read.sample().owners.empty(), detail);
  };
  const ReadSample* chosen = nullptr;
  for (const ReadSample& read : samples) {
    if (!is_candidate(read)) continue;
    if (!chosen || rank(read) > rank(*chosen)) chosen = &read;
  }
  return chosen;
}

}  // namespace tailback
