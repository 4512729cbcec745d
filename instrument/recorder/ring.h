// The ring of events that must not be missed.
#pragma once

#include "instrument/contract/record_contract.h"

namespace tailback {

// Copies the event into the ring, or counts it as dropped. Safe in signal handlers.
void push_event(const contract::Event& event);

}  // namespace tailback
