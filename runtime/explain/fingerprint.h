// What makes two stalls the same culprit, within a run and across runs and machines.
#pragma once

#include <string>

#include "runtime/values/deadlock.h"
#include "runtime/values/stall.h"

namespace tailback {

// 16 hexadecimal digits over cause, call and the names on the stack from the culprit outwards; no
// addresses, lines, lengths or ids.
std::string fingerprint(const Stall& stall);

// Of a deadlock: over what its threads wait in and for and where they do, in whatever order.
// Of several places, in whatever order they were found: `parts` are theirs, `all` says what they
// have in common and has no stack.
std::string fingerprint(std::vector<std::string> parts, Stall all);
std::string fingerprint(const Deadlock& deadlock);

}  // namespace tailback
