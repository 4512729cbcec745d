// Whether a call is able to wait without end, by what it is and what it was asked to do: the rule
// of
// --strict. Never: a descriptor that does not block, a file or a directory, a lock that was free, a
// timeout of zero, a host that is named by its address.
#pragma once

#include "runtime/explain/call_description.h"

namespace tailback {

// Reads what the arguments point to and what descriptors stand for: valid only while the thread
// stands in the call, or at its end.
bool is_able_to_block(int pid, const CallInProgress& call);

}  // namespace tailback
