// Calls on a loop thread that the observer wants to know of though no iteration is too long: slow
// ones, and under --strict each one that may block.
#pragma once

#include <stdint.h>

#include "instrument/contract/intercepts.h"
#include "instrument/contract/record_contract.h"

namespace tailback {

// To be called at the end of a call, while the record still shows it. `own_site` is the site that
// the call is a wait of, or nullptr.
void publish_slow_call(contract::ThreadRecord& record, intercept::Function function,
                       uint64_t call_site, uint64_t duration, const contract::WaitSite* own_site);

// From now on no call requests a read: the program is about to allow only some system calls.
void stop_read_requests();

}  // namespace tailback
