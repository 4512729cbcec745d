// What makes two stalls the same culprit, within a run and across runs and machines.
#pragma once

#include <string>

#include "runtime/values/stall.h"

namespace tailback {

// 16 hexadecimal digits over cause, call and the names on the stack from the culprit outwards; no
// addresses, lines, lengths or ids.
std::string fingerprint(const Stall& stall);

}  // namespace tailback
