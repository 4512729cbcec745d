// The producers' end of the segment's ring of locks.
#pragma once

#include "instrument/contract/record_contract.h"

namespace tailback {

// Drops the event, and counts it, if the ring is full. Returns whether it is in.
bool push_lock_event(const contract::LockEvent& event);

// Whether an event will probably find a place.
bool lock_ring_has_room();
void count_lock_event_dropped();

}  // namespace tailback
