// An interpreter, as the rest of the observer sees it. What is the same for all of its processes
// stands in languages.h.
#pragma once

#include <memory>
#include <optional>

#include "runtime/capture/module_map.h"
#include "runtime/capture/remote_address.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/interpreter_stack.h"

namespace tailback {

// What was copied of one thread while it stood still. Must not outlive the interpreter.
class StackCopy {
 public:
  virtual ~StackCopy() = default;
  // Makes frames of it. The thread may go on meanwhile.
  virtual InterpreterStack decode() = 0;
};

// That a thread waits for an interpreter's global lock.
struct InterpreterLockWait {
  int holder = 0;  // the thread that has it; 0: none, or unknown
  // What that thread runs. It may go on meanwhile: only what two reads agree on.
  std::optional<InterpreterStack> stack;
};

// Keeps what it has learnt of each process. For one thread of the observer.
class Interpreter {
 public:
  virtual ~Interpreter() = default;

  // Looks for the interpreter in the process, if its modules are others than at the last call, and
  // for the interpreter's state of the thread. What takes time is done here, so that a thread is
  // paused for copy() only. The rest is valid after this.
  virtual void prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules) = 0;

  // Copies what a thread that stands still runs. `snapshot` is of the thread; nullptr: there is
  // none. Gives nullptr if the process has no such interpreter, or the thread runs nothing in it.
  virtual std::unique_ptr<StackCopy> copy(int pid, int tid, const Snapshot* snapshot) = 0;

  // The wait of a thread that waits on a condition at this address. Nothing if that is not the
  // interpreter's global lock.
  virtual std::optional<InterpreterLockWait> interpreter_lock(int /*pid*/, int /*tid*/,
                                                              RemoteAddress /*condition*/) {
    return std::nullopt;
  }

  // The thread that has the lock of the language for whose native lock another waits. Nothing if
  // it is no such lock, or not known.
  virtual std::optional<int> lock_owner(int /*pid*/, RemoteAddress /*native_lock*/,
                                        const Snapshot& /*waiter*/) {
    return std::nullopt;
  }

  // What a thread runs that may go on meanwhile: only what two reads agree on.
  virtual std::optional<InterpreterStack> stack_of(int /*pid*/, int /*tid*/) {
    return std::nullopt;
  }

  // The process has ended, or executes another program.
  virtual void forget(int pid) = 0;
};

#define INTERPRETER(folder)                        \
  namespace folder {                               \
  std::unique_ptr<Interpreter> make_interpreter(); \
  }
#include "runtime/interpreters/list.inc"
#undef INTERPRETER

}  // namespace tailback
