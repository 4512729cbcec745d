#include "instrument/recorder/call_scope.h"

#include "instrument/recorder/allowance.h"
#include "instrument/recorder/blocking_calls.h"
#include "instrument/recorder/wait_sites.h"

namespace tailback {

using contract::Contributor;
using contract::WaitSite;

TAILBACK_COLD void put_aside(contract::Call& call, OuterCall& outer, uint64_t frame_end) {
  if (call.context.stack_pointer >= frame_end) {
    outer.entered = call.entered.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < contract::kArguments; ++i) outer.arguments[i] = call.arguments[i];
    outer.call_site = call.call_site;
    outer.context = call.context;
    outer.function = call.function.load(std::memory_order_relaxed);
  }
  call.function.store(0, std::memory_order_release);
}

TAILBACK_COLD void put_back(contract::Call& call, const OuterCall& outer) {
  call.function.store(0, std::memory_order_release);
  for (uint32_t i = 0; i < contract::kArguments; ++i) call.arguments[i] = outer.arguments[i];
  call.call_site = outer.call_site;
  call.context = outer.context;
  call.entered.store(outer.entered, std::memory_order_relaxed);
  call.function.store(outer.function, std::memory_order_release);
}

namespace {

void add(WaitSite& site, Function function, uint64_t call_site, uint64_t duration) {
  Contributor* smallest = nullptr;
  for (Contributor& entry : site.contributors) {
    if (entry.count == 0) {
      entry = {call_site, static_cast<uint32_t>(function), 1, duration, duration};
      return;
    }
    if (entry.call_site == call_site && entry.function == static_cast<uint32_t>(function)) {
      ++entry.count;
      entry.total_ticks += duration;
      if (duration > entry.longest_ticks) entry.longest_ticks = duration;
      return;
    }
    if (!smallest || entry.total_ticks < smallest->total_ticks) smallest = &entry;
  }
  if (duration > smallest->total_ticks) {
    site.other_ticks += smallest->total_ticks;
    *smallest = {call_site, static_cast<uint32_t>(function), 1, duration, duration};
  } else {
    site.other_ticks += duration;
  }
}

}  // namespace

void account_call(contract::ThreadRecord& record, Function function, uint64_t call_site,
                  uint64_t frame, uint64_t duration, const WaitSite* own_site) {
  if (blocking_is_allowed(record)) return;
  if (is_idle(record)) {
    // The observer compares the end with the call's entry.
    end_iterations_at_idle_wait(record, record.call.entered.load(std::memory_order_relaxed),
                                ticks());
    return;
  }
  if (__builtin_expect(is_named_wait(record, function), 0)) {
    const uint64_t now = ticks();
    own_site = note_named_wait(record, function, call_site, frame, now - duration, now);
  }
  for (WaitSite& site : record.wait_sites) {
    if (&site == own_site) continue;
    if (site.iteration_begin.load(std::memory_order_relaxed) == 0) continue;
    add(site, function, call_site, duration);
  }
  publish_slow_call(record, function, call_site, duration, own_site);
}

}  // namespace tailback
