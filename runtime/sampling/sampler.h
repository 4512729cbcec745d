// One look at a thread, in a long iteration or on the other side of a lock. Of the thread that
// `processes` is of.
#pragma once

#include <memory>

#include "instrument/contract/record_contract.h"
#include "runtime/sampling/process_table.h"
#include "runtime/sampling/sample.h"

namespace tailback {

// A blocked thread is read where it stands; a running one is held for the time of one read. If the
// thread moves on meanwhile the look is repeated once. `open_ended` is the thread's entry in
// Segment::open_ended.
std::shared_ptr<Sample> take_sample(contract::ThreadRecord& record,
                                    const contract::Call& open_ended,
                                    const contract::ProcessRecord& process, int pid, int tid,
                                    ProcessTable& processes);

// Reads a call that the thread offers: it stands still at the call's end (see
// contract::ReadRequest). Nothing if it went on meanwhile, or there is none.
std::shared_ptr<const Sample> take_requested(contract::ThreadRecord& record,
                                             const contract::Call& open_ended,
                                             const contract::ProcessRecord& process, int pid,
                                             int tid, ProcessTable& processes);

}  // namespace tailback
