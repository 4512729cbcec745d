// System calls that can wait, by number: for threads that the recorder does not see in a call
// (inside libc, inline assembly, static parts) and for syscall().
#pragma once

#include <string>
#include <vector>

#include "instrument/contract/intercepts.h"

namespace tailback {

struct SystemCallFacts {
  std::string name;  // "futex"; "system call 999" if not in the list
  intercept::Family family = intercept::Family::kNone;
  const char* roles = "";  // as in intercept_table.inc
};

SystemCallFacts system_call_facts(long number);

// The numbers that are in the list.
std::vector<long> known_system_calls();

}  // namespace tailback
