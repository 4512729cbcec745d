// A bare preload: no launcher has made a session, so the recorder makes one and starts an observer
// for it.
#pragma once

#include "instrument/contract/record_contract.h"

namespace tailback {

// Makes a segment, starts `tailback observe` on it as a detached grandchild (this process never
// sees a child or a SIGCHLD) and tells the program's own children of the session through the
// environment. Returns the mapped segment, or nullptr if it can't be had.
contract::Segment* start_observer();

// Maps a segment's file whole. nullptr if it has another size.
contract::Segment* map_segment(int fd);

}  // namespace tailback
