// Who holds a lock that does not name its owner, as far as the recorder has kept it: the readers of
// a read-write lock, and who took a semaphore last. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/capture/remote_address.h"
#include "runtime/locks/wait_graph.h"

namespace tailback {

// A thread that holds a lock for reading.
struct ReadHold {
  ThreadId thread;
  RemoteAddress lock;
};

// Those of one process, or of all (pid 0).
std::vector<ReadHold> read_holds(const contract::Segment& segment, int pid);

struct SemaphoreTaker {
  int tid = 0;
  // Nobody but its takers has ever posted it, and they have: it is used as a lock.
  bool is_owner = false;
};
// Nothing if nobody is known to have taken it.
std::optional<SemaphoreTaker> semaphore_taker(const contract::Segment& segment, int pid,
                                              RemoteAddress semaphore);

}  // namespace tailback
