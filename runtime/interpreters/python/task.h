// The asyncio task that a thread runs. To 3.13 asyncio keeps the running tasks in a dictionary of
// its module, from 3.14 on in the states of the threads.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/finder.h"

namespace tailback {

// The dictionary of running tasks, by their loops. Nothing if asyncio is not loaded, or keeps none.
std::optional<RemoteAddress> find_running_tasks(RemoteMemory& memory,
                                                const PythonInterpreter& python);

// The name of the task whose coroutine is one of the thread's frames: none else can be the one that
// runs there. Nothing if there is none.
std::optional<std::string> read_task_name(RemoteMemory& memory, const PythonInterpreter& python,
                                          RemoteAddress running_tasks,
                                          std::span<const RemoteAddress> frames);
// The same from 3.14 on.
std::optional<std::string> read_task_name(RemoteMemory& memory, const PythonInterpreter& python,
                                          const AsyncioOffsets& asyncio, RemoteAddress thread_state,
                                          std::span<const RemoteAddress> frames);

}  // namespace tailback
