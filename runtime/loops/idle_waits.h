// Workers of a pool that take turns at one epoll instance (tokio's scheduler, Boost.Asio's run() on
// several threads, Erlang's schedulers): one waits for events, the others wait on a condition or a
// futex until there is work. An idle worker blocks nobody.
#pragma once

#include <cstdint>

#include "runtime/segment/record_view.h"
#include "runtime/values/loop_sharing.h"

namespace tailback {

// Whether calls like this one can be idle waits: waits for another thread, futex waits.
bool may_be_idle_wait(const CallView& call);

// Whether the call is made at a place that is known as a park of this thread.
bool is_idle_wait(const contract::ThreadRecord& record, const CallView& call);

// Makes the place known, to the recorder too, unless the record has another owner by now. The
// oldest gives way. Safe from any thread of the observer.
void add_idle_wait(contract::ThreadRecord& record, uint32_t generation, uint64_t call_site,
                   uint64_t stack_pointer);

// How far other threads of the process wait for events at the epoll instances of this thread.
// `since`: the tick at which its iteration began.
LoopSharing sharing_of(const contract::Segment& segment, const contract::ThreadRecord& record,
                       uint64_t since);

}  // namespace tailback
