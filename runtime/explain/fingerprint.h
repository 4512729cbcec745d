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
std::string fingerprint(const Deadlock& deadlock);

}  // namespace tailback
