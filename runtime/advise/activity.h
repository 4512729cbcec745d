// What a thread does while it is blocked, in the words of the advice.
#pragma once

#include "instrument/contract/record_contract.h"
#include "runtime/explain/call_description.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/assessment.h"

namespace tailback {

// Of a call that was described while it was in progress. Semaphores and waits for events need more
// than that, see activity_of().
Activity activity_of(const CallDescription& call);

// Of the call that the thread with this record is in. Reads what its arguments point to and its
// descriptors stand for. Whether the wait is for an interpreter's lock is for the caller to find
// out: it is kWait here.
Activity activity_of(const contract::Segment& segment, const contract::ThreadRecord& record,
                     const CallView& call, uint64_t threshold_ticks);

}  // namespace tailback
