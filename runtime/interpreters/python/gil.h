// Python's global lock: who waits for it and who has it. A thread waits for it in slices of 5 ms,
// each a call of its own, on a condition that lies within the lock.
#pragma once

#include <optional>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/finder.h"
#include "runtime/interpreters/python/thread.h"

namespace tailback {

struct PythonGil {
  RemoteAddress address;
  RemoteAddress holder;  // the state of the thread that has it; 0: none has
};

// The lock that the thread with this state takes. Nothing if it can't be read.
std::optional<PythonGil> read_python_gil(RemoteMemory& memory, const PythonInterpreter& python,
                                         RemoteAddress thread_state);

// Whether an address that a thread waits on lies in the lock.
bool lies_in_gil(const PythonGil& gil, RemoteAddress address);

}  // namespace tailback
