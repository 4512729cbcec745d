// Workers of a pool that take iterations at one epoll instance (tokio's scheduler, Boost.Asio's
// run() on several threads): one waits for events, the others are parked on a condition or a futex
// until there is work. A parked worker holds nobody up.
#pragma once

#include <cstdint>

#include "runtime/segment/record_view.h"

namespace tailback {

// Whether calls like this one can be idle_waits: waits for another thread, futex waits.
bool may_be_idle_wait(const CallView& call);

// Whether the call is made at a place that is known as a park of this thread.
bool is_idle_wait(const contract::ThreadRecord& record, const CallView& call);

// Makes the place known, to the recorder too, unless the record has another owner by now. The
// oldest gives way. Safe from any thread of the observer.
void add_idle_wait(contract::ThreadRecord& record, uint32_t generation, uint64_t call_site,
                   uint64_t stack_pointer);

// Whether another thread of the process waits for events at an epoll instance of this thread's.
bool shares_loop(const contract::Segment& segment, const contract::ThreadRecord& record);

}  // namespace tailback
