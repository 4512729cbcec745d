#include "runtime/analysis/stall_evidence.h"

#include <algorithm>

#include "runtime/explain/call_description.h"

namespace tailback {

namespace {

// Calls that samples have seen and no sum has: the one still in progress, one that was left by a
// longjmp, an exception or a cancelled thread, and one whose return nobody sees.
void add_unsummed_calls(const StallSeen& observation, Evidence& evidence) {
  const bool may_be_in_others = observation.contributors.size() == contract::kContributors;
  const Sample* last = nullptr;
  for (const WeighedSample& observed : observation.samples) {
    const Sample& sample = *observed.sample;
    if (sample.source != Sample::Source::kRecord || !sample.call) continue;
    const bool open_ended = is_open_ended(sample.recorded.function);
    if (may_be_in_others && !open_ended) continue;
    const bool in_progress = observation.call && observation.call->same_call(sample.recorded);
    const bool is_summed =
        std::any_of(observation.contributors.begin(), observation.contributors.end(),
                    [&](const ObservedContributor& entry) {
                      return entry.function == sample.recorded.function &&
                             entry.call_site == sample.recorded.call_site;
                    });
    if (is_summed && !in_progress) continue;
    if (last && last->recorded.same_call(sample.recorded)) {
      evidence.calls.back().total += observed.weight;
      evidence.calls.back().longest += observed.weight;
    } else {
      evidence.calls.push_back(
          {sample.recorded.function, sample.call->cause, 1, observed.weight, observed.weight});
    }
    last = &sample;
  }
}

}  // namespace

Evidence evidence_of(const StallSeen& observation) {
  Evidence evidence;
  evidence.duration = observation.duration;
  evidence.threshold = observation.threshold;
  evidence.other_calls = observation.other_calls;
  evidence.spent = observation.spent;
  evidence.runnable_at_most = observation.runnable_at_most;
  for (const ObservedContributor& entry : observation.contributors) {
    CallTime time{entry.function, cause_of_function(entry.function), entry.count, entry.total,
                  entry.longest};
    bool is_sliced = false;
    for (const WeighedSample& observed : observation.samples) {
      const Sample& sample = *observed.sample;
      if (sample.source == Sample::Source::kRecord && sample.call &&
          sample.recorded.function == entry.function &&
          sample.recorded.call_site == entry.call_site) {
        // A sample that was held says less of the call than one that was blocked.
        is_sliced = is_sliced || sample.call->cause == Cause::kGil;
        time.cause = is_sliced ? Cause::kGil : sample.call->cause;
      }
    }
    // It is waited for in slices, each a call: together they are one wait.
    if (is_sliced) {
      time.count = 1;
      time.longest = time.total;
    }
    evidence.calls.push_back(time);
  }
  for (const WeighedSample& observed : observation.samples) {
    const Sample& sample = *observed.sample;
    SampledState state;
    state.blocked = sample.call.has_value();
    state.recorded = sample.source == Sample::Source::kRecord;
    state.cause = sample.call ? sample.call->cause : Cause::kUnknown;
    state.weight = observed.weight;
    evidence.samples.push_back(state);
  }
  add_unsummed_calls(observation, evidence);
  return evidence;
}

}  // namespace tailback
