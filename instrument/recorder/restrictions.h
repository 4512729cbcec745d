// What a program may forbid itself, and so the recorder inside it: the time stamp counter, and
// system calls (seccomp).
#pragma once

#include "instrument/recorder/rules.h"

namespace tailback {

enum class Restriction {
  kNone,
  kNoTicks,      // for this thread and all that it starts
  kSystemCalls,  // a filter, that may kill at the return from our signal handler
};

// What the system call that the program is about to make would forbid.
Restriction restriction_of(long number, unsigned long a, unsigned long b);

// Step aside as far as the restriction needs it, and come back if the call fails.
void before_restriction(Restriction restriction);
void after_restriction(Restriction restriction, bool in_force);

// Makes the call. It is not recorded: its end could not be.
template <typename Call>
TAILBACK_INLINE long under_restriction(Restriction restriction, Call call) {
  before_restriction(restriction);
  const long result = call();
  after_restriction(restriction, result >= 0);
  return result;
}

}  // namespace tailback
