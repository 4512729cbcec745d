// Python's locks: which object a thread that waits for a semaphore waits for, and who has it.
// threading.RLock keeps its owner; threading.Lock has none, whoever acquired it. To 3.13: later
// ones wait by other means.
#pragma once

#include <optional>

#include "runtime/capture/remote_memory.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/python/finder.h"

namespace tailback {

// The id of the thread that has the threading.RLock for which a thread waits at this semaphore. To
// 3.13 the semaphore is the object's; the object is searched among what the thread's innermost
// calls hold, and is believed if its type and its semaphore are right. Nothing if it is another
// kind of lock, or nobody has it.
std::optional<int> python_lock_owner(RemoteMemory& memory, const PythonInterpreter& python,
                                     RemoteAddress semaphore, const Snapshot& waiter);

}  // namespace tailback
