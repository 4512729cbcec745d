// The Python interpreters of a session's processes, and reading their threads' frames. Keeps what
// it has learnt of each process. For one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/python/finder.h"
#include "runtime/interpreters/python/stack.h"

namespace tailback {

// A read that is not decoded yet.
struct PythonRead {
  std::shared_ptr<const PythonInterpreter> interpreter;
  GatheredPythonStack gathered;
  std::string task;  // as in PythonStack
};

// That a thread waits for the interpreter's lock.
struct PythonGilWait {
  int holder = 0;  // the thread that has it; 0: none, or unknown
  // What that thread runs: it may well go on meanwhile, so only what two reads agree on.
  std::optional<PythonStack> frames;
};

class PythonProcesses {
 public:
  // Looks for the process's interpreter, if its modules are others than at the last time, and for
  // its state of a thread. What takes time is done here, so that gather() only reads frames.
  void prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules);

  // Reads the frames of a thread that stands still, after prepare(). Nothing if the process runs no
  // Python, or the thread doesn't. If the interpreter is one that can't be read, there are no
  // frames.
  std::optional<PythonRead> gather(int pid, int tid);

  // What a thread that waits on a condition at this address waits for, after prepare(). Nothing if
  // it is not the interpreter's lock.
  std::optional<PythonGilWait> gil_wait(int pid, int tid, RemoteAddress condition);

  // The thread that has the threading.RLock whose semaphore at this address a thread waits for,
  // after prepare(). Nothing if it waits for something else, or that is not known.
  std::optional<int> lock_owner(int pid, RemoteAddress semaphore, const Snapshot& waiter);

  // What a thread runs, though it may well go on meanwhile: only what two reads agree on. Nothing
  // if it runs no Python, or does not stand still.
  std::optional<PythonStack> stack_of(int pid, int tid);

  void forget(int pid) { processes_.erase(pid); }

 private:
  struct Process {
    std::shared_ptr<const ModuleMap> modules;
    std::shared_ptr<const PythonInterpreter> interpreter;  // nullptr: there is none
    std::map<int, RemoteAddress> threads;                  // tid → its thread state
    std::optional<RemoteAddress> running_tasks;            // of asyncio, to 3.13
    std::optional<AsyncioOffsets> asyncio;                 // from 3.14 on
    unsigned tasks_sought = 0;                             // how often
  };
  static constexpr size_t kMostThreads = 4096;

  // The process's interpreter, or nullptr if there is none that can be read.
  std::shared_ptr<const PythonInterpreter> readable(int pid) const;
  void look_for_interpreter(int pid, const std::shared_ptr<const ModuleMap>& modules,
                            Process& process);

  PythonFinder finder_;
  std::map<int, Process> processes_;
};

PythonStack decode(const PythonRead& read);

}  // namespace tailback
