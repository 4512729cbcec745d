#include "runtime/analysis/blame.h"

#include "runtime/explain/cause.h"

namespace tailback {

namespace {

// Whether the call that a sample stands in belongs into the report of a stall of this cause.
bool explains(Cause cause, const Sample& sample) {
  if (cause == Cause::kCpu) return sample.held;
  return is_blocked(cause) || (cause == Cause::kUnknown && sample.call->cause == cause);
}

}  // namespace

void Blame::assign_sample(int pid, const ReadSample& chosen, Stall& stall) {
  const Sample& sample = chosen.sample();
  stall.stack = chosen.stack.frames;
  stall.culprit = chosen.stack.culprit;
  stall.stack_complete = chosen.stack.complete;
  for (const InterpreterStack& interpreted : sample.interpreted) {
    if (!interpreted.task.empty()) stall.task = interpreted.task;
  }
  if (!sample.call || !explains(stall.cause, sample)) return;
  stall.call = sample.call->call;
  names_.name_object(pid, sample, *stall.call);
  owners_.add_owners(pid, sample, stall);
  if (stall.cause == Cause::kProcess && !sample.call->child.empty()) {
    stall.call->object = sample.call->child;
  }
}

void Blame::assign_longest_call(Stall& stall) {
  stall.stack_complete = false;
  if (!is_blocked(stall.cause) || stall.contributors.empty()) return;
  const ContributorShare& longest = stall.contributors.front();
  stall.stack = {longest.caller};
  stall.culprit = reader_.culprit_of(stall.stack);
  stall.call = BlockedCall{};
  stall.call->function = longest.function;
  stall.limits.push_back({LimitKind::kNoStack});
}

void Blame::assign(int pid, const ReadSample* chosen, Stall& stall) {
  if (chosen) {
    assign_sample(pid, *chosen, stall);
  } else {
    assign_longest_call(stall);
  }
}

Stall identity_of(const StallSeen& observation) {
  Stall stall;
  stall.id = observation.id;
  stall.state = observation.state;
  stall.begin = observation.begin;
  name_thread(observation, stall);
  stall.loop = observation.loop;
  stall.duration = observation.duration;
  stall.threshold = observation.threshold;
  return stall;
}

}  // namespace tailback
