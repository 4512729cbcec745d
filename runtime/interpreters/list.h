// All interpreters whose frames are read: what a process runs is found by asking each.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/interpreters/interpreter.h"

namespace tailback {

// For one thread of the observer. The functions are those of Interpreter.
class Interpreters {
 public:
  Interpreters();

  void prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules);
  // Those of the interpreters that the thread runs something in, in the order of list.inc.
  std::vector<std::unique_ptr<StackCopy>> copy(int pid, int tid, const Snapshot* snapshot);
  // The first answer.
  std::optional<InterpreterLockWait> interpreter_lock(int pid, int tid, RemoteAddress condition);
  std::optional<int> lock_owner(int pid, RemoteAddress native_lock, const Snapshot& waiter);
  std::optional<InterpreterStack> stack_of(int pid, int tid);
  void forget(int pid);

 private:
  std::vector<std::unique_ptr<Interpreter>> all_;
};

}  // namespace tailback
