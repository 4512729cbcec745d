// Threads that wait as a loop does and are workers: they get their jobs where others get theirs, or
// serve one connection each.
#pragma once

#include <cstdint>

#include "instrument/contract/record_contract.h"
#include "runtime/kernel/proc_source.h"
#include "runtime/sampling/thread_sampler.h"
#include "runtime/segment/record_view.h"

namespace tailback {

// Whether a thread in this call waits for one connection and for nothing else: a poll of one
// socket. For as long as it is in the call.
bool waits_for_one_connection(ProcSource& proc, ThreadSampler& sampler, int pid,
                              const CallView& call);

// Whether the thread with this record is one, at this site. Threads of a process that wait for a
// signal at one place, or read one descriptor, are; those that poll at one place are unless hardly
// an iteration is long (a loop per thread) and they are not known to serve one connection each. Who
// waits on an epoll is none.
bool is_worker(const contract::Segment& segment, const contract::ThreadRecord& record,
               const SiteView& site, uint64_t threshold_ticks, bool serves_one_connection = false);

}  // namespace tailback
