// Calls on a loop thread that the observer wants to know of though no iteration was too long: those
// that took a while, and, where it asks for it, each one that may block.
#pragma once

#include <stdint.h>

#include "instrument/contract/intercepts.h"
#include "instrument/contract/record_contract.h"

namespace tailback {

// To be called at the end of a call, while the record still shows it. `own_site` is the site that
// the call is a wait of, or nullptr.
void publish_slow_call(contract::ThreadRecord& record, intercept::Function function,
                       uint64_t call_site, uint64_t duration, const contract::WaitSite* own_site);

// From now on no call is offered: the program will allow itself but some system calls.
void stop_read_requests();

}  // namespace tailback
