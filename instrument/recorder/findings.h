// Messages of code inside the target, for the observer (finding_contract.h).
#pragma once

#include <stdint.h>

#include "instrument/contract/finding_contract.h"

namespace tailback {

// A place to write a finding to; nullptr if there is no session or no free place. Never waits.
contract::Finding* begin_finding(contract::FindingKind kind);
// Publishes the finding; `size` is that of its data. Waits until the observer has read it, for a
// tenth of a second at most: the program may end at once, and its maps with it.
void end_finding(contract::Finding* finding, uint32_t size);
// The same for a finding that can be read without the program: does not wait.
void publish_finding(contract::Finding* finding, uint32_t size);

}  // namespace tailback

extern "C" {
// For the pairing library, which may be of another version than the recorder: the place's data, or
// nullptr. Async-signal-safe, never waits.
char* tailback_begin_finding(uint32_t version, uint32_t kind);
void tailback_end_finding(char* data, uint32_t size);
}
