#include "runtime/explain/stall_cause.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

namespace tailback {

namespace {

bool shows(Cause cause, const StackEvidence& sample) {
  if (cause == Cause::kMany) return sample.call.has_value();
  if (cause == Cause::kCpu) return sample.held;
  if (cause == Cause::kPageFault) return sample.in_fault;
  if (cause == Cause::kUnknown || is_blocked(cause)) return sample.call == cause;
  return !sample.call.has_value();
}

using Place = std::pair<std::string, std::string>;  // the call and the culprit

Place place_of(const StackEvidence& sample) {
  const bool has_culprit = sample.culprit < sample.stack->size();
  return {sample.function, has_culprit ? (*sample.stack)[sample.culprit].function : std::string()};
}

std::optional<size_t> stack_to_blame(Cause cause, const std::vector<StackEvidence>& stacks) {
  const bool any_shows = std::any_of(stacks.begin(), stacks.end(),
                                     [&](const StackEvidence& one) { return shows(cause, one); });
  const auto is_candidate = [&](const StackEvidence& one) {
    return !any_shows || shows(cause, one);
  };
  // Several samples may show one culprit, at different instructions: their time counts together.
  std::map<Place, Nanoseconds> weights;
  // What callbacks share (a helper function) is blamed where most of its time was.
  std::map<size_t, Nanoseconds> callbacks;
  for (const StackEvidence& one : stacks) {
    if (!is_candidate(one)) continue;
    weights[place_of(one)] += one.weight;
    if (one.callback) callbacks[*one.callback] += one.weight;
  }
  const auto callback_weight = [&](const StackEvidence& one) {
    return one.callback && callbacks.size() > 1 ? callbacks[*one.callback] : Nanoseconds{};
  };
  // A wait is best explained by the sample that knows the owners, then by the longest. A
  // computation is best explained by the deepest stack.
  const auto rank = [&](const StackEvidence& one) {
    const int64_t detail =
        is_blocked(cause) ? one.weight.count() : static_cast<int64_t>(one.stack->size());
    return std::make_tuple(weights[place_of(one)], one.has_owners, callback_weight(one), detail);
  };
  std::optional<size_t> chosen;
  for (size_t i = 0; i < stacks.size(); ++i) {
    if (!is_candidate(stacks[i])) continue;
    if (!chosen || rank(stacks[i]) > rank(stacks[*chosen])) chosen = i;
  }
  return chosen;
}

}  // namespace

DecidedCause cause_of_call(Cause cause, const std::vector<StackEvidence>& stacks) {
  DecidedCause decided;
  decided.stack = stack_to_blame(cause, stacks);
  decided.cause =
      decided.stack ? cause_within_runtime(cause, *stacks[*decided.stack].stack) : cause;
  return decided;
}

DecidedCause cause_of(const StallEvidence& evidence) {
  DecidedCause decided = cause_of_call(decide_cause(evidence.facts), evidence.stacks);
  if (!decided.stack) {
    decided.cause = cause_within_runtime(decided.cause, evidence.longest_caller);
  }
  return decided;
}

}  // namespace tailback
