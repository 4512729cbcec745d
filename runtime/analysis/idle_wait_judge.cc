#include "runtime/analysis/idle_wait_judge.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/explain/condition_loop.h"
#include "runtime/explain/idle_stack.h"
#include "runtime/loops/idle_waits.h"

namespace tailback {

namespace {

using Place = std::pair<intercept::Function, uint64_t>;

Place place_of(const CallView& call) {
  return {call.function, call.call_site};
}

}  // namespace

void IdleWaitJudge::analyze(const IdleWaitSeen& wait) {
  if (is_idle(wait.pid, *wait.sample, wait.sharing)) verdicts_.post(wait.place);
}

void IdleWaitJudge::analyze(const ConditionWaitSeen& wait) {
  if (is_condition_loop(reader_.read_native(wait.pid, *wait.sample))) verdicts_.post(wait.loop);
}

bool IdleWaitJudge::is_idle(int pid, const Sample& sample, LoopSharing sharing) {
  if (!sample.snapshot) return false;
  const std::vector<Frame> stack = reader_.read_native(pid, sample);
  if (has_handed_loop_on(stack)) return true;
  return sample.source == Sample::Source::kRecord && may_be_idle_wait(sample.recorded) &&
         is_idle_stack(stack, sharing);
}

// Most workers' idle waits are known by their place before they last long.
std::optional<StallSeen> IdleWaitJudge::without_idle_waits(const StallSeen& observation) {
  StallSeen rest = observation;
  Nanoseconds idle{};
  std::map<Place, Nanoseconds> idle_places;
  std::erase_if(rest.samples, [&](const WeighedSample& observed) {
    if (!is_idle(observation.pid, *observed.sample, observation.sharing)) return false;
    idle += observed.weight;
    if (observed.sample->source == Sample::Source::kRecord) {
      idle_places[place_of(observed.sample->recorded)] += observed.weight;
    }
    return true;
  });
  if (idle <= Nanoseconds::zero()) return observation;

  // A library may make all waits at one call site (Rust's standard library): where some are not
  // idle, the sum of all does not say how long the idle ones were.
  for (const WeighedSample& observed : rest.samples) {
    if (observed.sample->source != Sample::Source::kRecord) continue;
    idle_places.erase(place_of(observed.sample->recorded));
  }
  // Elsewhere the sum is exact and a sample's weight is not. A call in progress is in no sum yet.
  const bool has_all_calls = observation.state == StallState::kEnded;
  std::erase_if(rest.contributors, [&](const ObservedContributor& entry) {
    const auto place = idle_places.find({entry.function, entry.call_site});
    if (place == idle_places.end()) return false;
    idle += (has_all_calls ? entry.total : std::max(entry.total, place->second)) - place->second;
    return true;
  });
  idle = std::min(idle, rest.duration);
  rest.duration -= idle;
  rest.spent.blocked -= std::min(idle, rest.spent.blocked);
  if (rest.state == StallState::kEnded) {
    verdicts_.post(LengthJudged{rest.iteration_id, observation.duration, rest.duration});
  }
  if (rest.duration <= rest.threshold) return std::nullopt;
  return rest;
}

}  // namespace tailback
