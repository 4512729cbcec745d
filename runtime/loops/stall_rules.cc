#include "runtime/loops/stall_rules.h"

#include <algorithm>

#include "runtime/loops/idle_waits.h"
#include "runtime/loops/loop_model.h"

namespace tailback {

IterationLength length_of(const contract::Event& event, const SiteView& site,
                          const std::vector<SiteView>& sites, LoopChoice choice) {
  IterationLength length;
  length.begin = latest_begin(site, event, sites);
  length.whole = event.end_tick - length.begin;
  length.allowed = std::min(length.whole, event.allowed_ticks);
  // What lies before a later begin is of other iterations, and so is the time in siblings.
  if (length.begin == event.begin_tick) {
    const uint64_t in_siblings =
        ticks_in_siblings(site, site.contributors, sites, is_said_to_be_loop(choice));
    length.idle = std::min(length.whole - length.allowed, in_siblings);
  }
  return length;
}

IdleAt idle_at(const SiteView& site, const std::optional<CallView>& call,
               const std::vector<SiteView>& sites, const contract::ThreadRecord& record) {
  if (!call) return IdleAt::kNothing;
  if (waits_at_sibling(site, *call, sites)) return IdleAt::kSiblingWait;
  return is_idle_wait(record, *call) ? IdleAt::kIdleWait : IdleAt::kNothing;
}

Dismissal dismissal_of(const EndedIterationView& iteration) {
  if (!is_among(iteration.loops, iteration.site)) return Dismissal::kNoLoop;
  if (iteration.duration <= iteration.threshold) return Dismissal::kShort;
  if (enclosing_loop(iteration.site, iteration.begin_tick, iteration.loops)) {
    return Dismissal::kNested;
  }
  const Nanoseconds unreported =
      iteration.duration - std::min(iteration.duration, iteration.reported);
  return unreported <= iteration.threshold ? Dismissal::kReported : Dismissal::kNone;
}

Dismissal dismissal_of(const IterationInProgress& iteration) {
  const SiteView& site = iteration.site;
  // A program that waits once and then works is no loop; one that has been away from its first wait
  // for very long may well be stuck in its first callback.
  const bool may_be_loop = may_become_loop(iteration.choice, site) && iteration.is_very_long;
  if (!is_among(iteration.loops, site) && !may_be_loop) return Dismissal::kNoLoop;
  if (enclosing_loop(site, site.iteration_begin, iteration.loops)) return Dismissal::kNested;
  if (may_have_moved_on(site, iteration.call, iteration.sites)) return Dismissal::kMovedOn;
  // A loop that has ended leaves no other sign of it.
  const bool is_superseded =
      std::any_of(iteration.loops.begin(), iteration.loops.end(), [&](const SiteView& other) {
        return other.key != site.key && other.stack_pointer < site.stack_pointer &&
               other.iterations >= contract::kEstablishedIterations;
      });
  return is_superseded ? Dismissal::kSuperseded : Dismissal::kNone;
}

uint64_t overlap(uint64_t begin, uint64_t end, uint64_t other_begin, uint64_t other_end) {
  const uint64_t later_begin = std::max(begin, other_begin);
  const uint64_t earlier_end = std::min(end, other_end);
  return earlier_end > later_begin ? earlier_end - later_begin : 0;
}

}  // namespace tailback
