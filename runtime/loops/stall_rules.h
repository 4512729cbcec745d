// Whether an iteration of a thread is a stall of an event loop: the rules, over plain views.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/loops/loop_choice.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/stall.h"

namespace tailback {

// How long an iteration that has ended was, in ticks.
struct IterationLength {
  uint64_t begin = 0;    // the tick from which it counts
  uint64_t whole = 0;    // from there to its end
  uint64_t allowed = 0;  // in scopes that are allowed to block
  uint64_t idle = 0;     // waiting for the loop's events at sibling wait sites

  uint64_t counted() const { return whole - allowed - idle; }
};

// `site` has the contributors of the event; `sites` are all of the thread's.
IterationLength length_of(const contract::Event& event, const SiteView& site,
                          const std::vector<SiteView>& sites, LoopChoice choice);

// What a thread within an iteration waits for, as far as that makes the iteration idle.
enum class IdleAt {
  kNothing,      // it is not idle
  kSiblingWait,  // at another wait site of its loop or of an outer one
  kIdleWait,     // at a place where it is known to wait for work
};
IdleAt idle_at(const SiteView& site, const std::optional<CallView>& call,
               const std::vector<SiteView>& sites, const contract::ThreadRecord& record);

// Why an iteration is no stall.
enum class Dismissal {
  kNone,        // it is one, for all that the records say
  kNoLoop,      // the thread runs no loop at this site
  kShort,       // it is not over the threshold
  kNested,      // it is a part of an outer loop's iteration
  kReported,    // most of it was reported as a sibling's iteration
  kMovedOn,     // the thread may have left this loop for another
  kSuperseded,  // another loop runs further up the stack: this one has ended
};

struct EndedIterationView {
  const SiteView& site;
  const std::vector<SiteView>& loops;  // the sites at which the thread runs a loop
  uint64_t begin_tick = 0;
  Nanoseconds duration{};  // that counts
  Nanoseconds reported{};  // the part of it that was reported already
  Nanoseconds threshold{};
};
Dismissal dismissal_of(const EndedIterationView& iteration);

struct IterationInProgress {
  const SiteView& site;
  const std::vector<SiteView>& sites;  // all of the thread's
  const std::vector<SiteView>& loops;  // those at which it runs a loop
  LoopChoice choice = LoopChoice::kByBehaviour;
  std::optional<CallView> call;  // that the thread is in
  bool is_very_long = false;
};
Dismissal dismissal_of(const IterationInProgress& iteration);

// By how many ticks two stretches of time overlap.
uint64_t overlap(uint64_t begin, uint64_t end, uint64_t other_begin, uint64_t other_end);

}  // namespace tailback
