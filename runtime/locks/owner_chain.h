// Who holds the lock that a thread waits for, and what keeps that one from giving it back. Not to
// be shared by threads.
#pragma once

#include <optional>

#include "instrument/contract/record_contract.h"
#include "runtime/kernel/proc_source.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/sample.h"

namespace tailback {

inline constexpr size_t kLongestChain = 8;

// Where the thread is that a lock of the process names as its owner.
struct OwnerPlace {
  int pid = 0;
  int tid = 0;
  // It has ended, or is of another process that has a copy of the lock: nobody will give it back.
  bool is_lost = false;
};
// Nothing if the lock names no thread.
std::optional<OwnerPlace> find_owner(ProcSource& proc, int pid, const LockReading& lock);
// The same with what the recorder knows of locks that name none: one of the readers, the thread
// that took a semaphore last if it is used as a lock.
std::optional<OwnerPlace> find_owner(const contract::Segment& segment, ProcSource& proc, int pid,
                                     const LockReading& lock);

// The index of the record of a thread that lives; nothing if it has none.
std::optional<uint32_t> find_record(const contract::Segment& segment, int pid, int tid);

// One sample of a thread, whether it has a record or not.
std::shared_ptr<Sample> sample_thread(DetectorInput& input, int pid, int tid);

// One sample of a thread for whom another waits.
OwnerSample sample_owner(DetectorInput& input, int pid, int tid);

// Samples the owners of what the thread of this sample waits for, to the end of the chain. Those
// that gave the lock back meanwhile are left out, with all that would follow.
void add_owners(DetectorInput& input, int pid, int tid, Sample& sample);

}  // namespace tailback
