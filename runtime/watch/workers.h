// Threads that wait as a loop does and are workers: they get their jobs where others get theirs.
#pragma once

#include <cstdint>

#include "instrument/contract/record_contract.h"
#include "runtime/watch/record_view.h"

namespace tailback {

// Whether the thread with this record is one, at this site. Threads of a process that wait for a
// signal at one place, or read one descriptor, are; those that poll at one place are unless hardly
// a turn is long (a loop per thread). Who waits on an epoll is none.
bool is_worker(const contract::Segment& segment, const contract::ThreadRecord& record,
               const SiteView& site, uint64_t threshold_ticks);

}  // namespace tailback
