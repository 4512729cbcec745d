// Threads that wait as a loop does and are workers: they get their jobs where others get theirs, or
// serve one connection each.
#pragma once

#include <cstdint>
#include <string_view>

#include "instrument/contract/record_contract.h"
#include "runtime/kernel/proc_source.h"
#include "runtime/sampling/thread_sampler.h"
#include "runtime/segment/record_view.h"

namespace tailback {

// What a poll waits for that has one or two descriptors.
enum class PollPurpose {
  kEvents,         // anything else
  kOneConnection,  // a socket that does not listen
  // Eventfds of the interpreter's own: Ruby's threads sleep so. Such a wait is no loop's, however
  // often it is made.
  kInterpreterSleep,
};
// Whether the call is a poll of one or two descriptors.
bool is_poll_of_few(const CallView& call);
// Of a thread that is in this call, which stands in `module`; for as long as it is.
PollPurpose purpose_of_poll(ProcSource& proc, ThreadSampler& sampler, int pid, const CallView& call,
                            std::string_view module);

// Whether the thread with this record is one, at this site. Threads of a process that wait for a
// signal at one place, or read one descriptor, are; those that poll at one place are unless hardly
// an iteration is long (a loop per thread), they are not known to serve one connection each, and
// their polls block. Who waits on an epoll is none.
bool is_worker(const contract::Segment& segment, const contract::ThreadRecord& record,
               const SiteView& site, uint64_t threshold_ticks, bool serves_one_connection = false);

}  // namespace tailback
