// Python's own state of a thread, found by the thread's id.
#pragma once

#include <optional>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/finder.h"

namespace tailback {

struct PythonThread {
  RemoteAddress state;  // PyThreadState
  RemoteAddress frame;  // its innermost frame; 0: it runs no Python now
};

// Searches all threads of all interpreters of the process. Nothing if the thread has never run
// Python. Of a thread with several states (subinterpreters) one that runs something; nothing if
// that is not just one.
std::optional<PythonThread> find_python_thread(RemoteMemory& memory,
                                               const PythonInterpreter& python, int tid);

// The thread whose state was found at `state` before. Nothing if it is another's by now.
std::optional<PythonThread> read_python_thread(RemoteMemory& memory,
                                               const PythonInterpreter& python, RemoteAddress state,
                                               int tid);

// The id of the thread whose state this is. Nothing if it is none of the interpreters' threads.
std::optional<int> python_thread_id(RemoteMemory& memory, const PythonInterpreter& python,
                                    RemoteAddress state);

// The id of the thread that Python knows by this number (threading.get_ident()). Nothing if there
// is none.
std::optional<int> python_thread_of_ident(RemoteMemory& memory, const PythonInterpreter& python,
                                          uint64_t ident);

}  // namespace tailback
