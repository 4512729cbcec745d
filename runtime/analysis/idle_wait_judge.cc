#include "runtime/analysis/idle_wait_judge.h"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/explain/idle_stack.h"
#include "runtime/loops/idle_waits.h"

namespace tailback {

namespace {

using Place = std::pair<intercept::Function, uint64_t>;

}  // namespace

void IdleWaitJudge::analyze(const IdleWaitSeen& wait) {
  if (is_idle_stack(reader_.read_native(wait.pid, *wait.sample), wait.shares_loop)) {
    verdicts_.post(wait.place);
  }
}

// Most workers' idle waits are known by their place before they last long.
std::optional<StallSeen> IdleWaitJudge::without_idle_waits(const StallSeen& observation) {
  Nanoseconds sampled{};
  std::set<Place> places;
  for (const WeighedSample& observed : observation.samples) {
    const Sample& sample = *observed.sample;
    if (sample.source != Sample::Source::kRecord || !may_be_idle_wait(sample.recorded) ||
        !sample.snapshot ||
        !is_idle_stack(reader_.read_native(observation.pid, sample), observation.shares_loop)) {
      continue;
    }
    sampled += observed.weight;
    places.emplace(sample.recorded.function, sample.recorded.call_site);
  }
  if (places.empty()) return observation;

  StallSeen rest = observation;
  std::erase_if(rest.samples, [&](const WeighedSample& observed) {
    const CallView& call = observed.sample->recorded;
    return places.contains({call.function, call.call_site});
  });
  Nanoseconds summed{};
  std::erase_if(rest.contributors, [&](const ObservedContributor& entry) {
    if (!places.contains({entry.function, entry.call_site})) return false;
    summed += entry.total;
    return true;
  });
  const Nanoseconds idle = std::min(std::max(sampled, summed), rest.duration);
  rest.duration -= idle;
  rest.spent.blocked -= std::min(idle, rest.spent.blocked);
  if (rest.duration <= rest.threshold) return std::nullopt;
  return rest;
}

}  // namespace tailback
