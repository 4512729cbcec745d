// Scopes that are allowed to block: their time is no part of a stall, and their calls are never its
// cause.
//
// Scopes nest; the time from the beginning of the outermost to its end counts. A scope that is left
// without its end (longjmp, a cancelled thread) ends with the loop's next wait at the latest.
#pragma once

#include "instrument/recorder/thread_state.h"

namespace tailback {

// Whether the thread is in such a scope.
TAILBACK_INLINE bool blocking_is_allowed(const contract::ThreadRecord& record) {
  return record.allowed_since.load(std::memory_order_relaxed) != 0;
}

// `stack_pointer`: of the function that begins the scope.
void begin_allowed_scope(contract::ThreadRecord& record, uint64_t stack_pointer);
// Does nothing if no scope is open.
void end_allowed_scope(contract::ThreadRecord& record);

// Ends all scopes that are open, and adds their time to that of the iterations in progress.
void end_allowance(contract::ThreadRecord& record, uint64_t now);

// Ticks in such scopes within the iteration from `begin` to `end`, which is in progress at `site`.
uint64_t allowed_within(const contract::ThreadRecord& record, const contract::WaitSite& site,
                        uint64_t begin, uint64_t end);

}  // namespace tailback
