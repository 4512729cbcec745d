// A bare preload: no launcher has created a session, so the recorder creates one and starts its
// observer.
#pragma once

#include "instrument/contract/record_contract.h"

namespace tailback {

// Creates a segment, starts `tailback observe` on it as a detached grandchild (this process never
// sees a child or a SIGCHLD), and passes the session to the program's own children in the
// environment. Returns the mapped segment, or nullptr.
contract::Segment* start_observer();

// Maps the whole file of a segment. nullptr if it has another size.
contract::Segment* map_segment(int fd);

}  // namespace tailback
