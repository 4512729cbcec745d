// The Python interpreters of a session's processes, and reading their threads' frames. Keeps what
// it has learnt of each process. For one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/interpreter.h"
#include "runtime/interpreters/python/finder.h"

namespace tailback {

class PythonProcesses final : public Interpreter {
 public:
  void prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules) override;
  // Needs no snapshot.
  std::unique_ptr<StackCopy> copy(int pid, int tid, const Snapshot* snapshot) override;
  // The GIL.
  std::optional<InterpreterLockWait> interpreter_lock(int pid, int tid,
                                                      RemoteAddress condition) override;
  // Of threading.RLock, by its semaphore.
  std::optional<int> lock_owner(int pid, RemoteAddress semaphore, const Snapshot& waiter) override;
  std::optional<InterpreterStack> stack_of(int pid, int tid) override;
  void forget(int pid) override { processes_.erase(pid); }

 private:
  struct Process {
    std::shared_ptr<const ModuleMap> modules;
    std::shared_ptr<const PythonInterpreter> interpreter;  // nullptr: there is none
    std::shared_ptr<const FrameRunner> runner;             // its eval loop
    std::map<int, RemoteAddress> threads;                  // tid → its thread state
    std::optional<RemoteAddress> running_tasks;            // of asyncio, to 3.13
    std::optional<AsyncioOffsets> asyncio;                 // from 3.14 on
    unsigned tasks_sought = 0;                             // how often
  };
  static constexpr size_t kMostThreads = 4096;

  // nullptr if the process runs no interpreter that can be read.
  const Process* readable(int pid) const;
  void look_for_interpreter(int pid, const std::shared_ptr<const ModuleMap>& modules,
                            Process& process);

  PythonFinder finder_;
  std::map<int, Process> processes_;
};

}  // namespace tailback
