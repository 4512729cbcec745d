#include "runtime/interpreters/python/processes.h"

#include <utility>

#include "runtime/interpreters/python/gil.h"
#include "runtime/interpreters/python/lock.h"
#include "runtime/interpreters/python/stack.h"
#include "runtime/interpreters/python/task.h"

namespace tailback {

namespace python {

std::unique_ptr<Interpreter> make_interpreter() {
  return std::make_unique<PythonProcesses>();
}

}  // namespace python

namespace {

// Whose frames they are.
struct Source {
  std::shared_ptr<const PythonInterpreter> interpreter;
  std::shared_ptr<const FrameRunner> runner;
};

InterpreterStack decoded(const Source& source, const GatheredPythonStack& gathered) {
  InterpreterStack stack = decode_python_stack(*source.interpreter, gathered);
  stack.language = &python::language();
  stack.runner = source.runner;
  stack.unreadable = source.interpreter->unreadable;
  return stack;
}

class PythonCopy final : public StackCopy {
 public:
  explicit PythonCopy(Source source) : source_(std::move(source)) {}

  InterpreterStack decode() override {
    InterpreterStack stack = decoded(source_, gathered);
    if (stack.failure.empty()) stack.task = task;
    return stack;
  }

  GatheredPythonStack gathered;
  std::string task;  // as in InterpreterStack

 private:
  Source source_;
};

// As stack_of() gives it.
std::optional<InterpreterStack> stack_at(RemoteMemory& memory, const Source& source,
                                         RemoteAddress state, int tid) {
  constexpr int kTries = 3;
  std::optional<InterpreterStack> before;
  for (int i = 0; i < kTries; ++i) {
    const auto thread = read_python_thread(memory, *source.interpreter, state, tid);
    if (!thread || thread->frame.value == 0) return std::nullopt;
    InterpreterStack stack =
        decoded(source, gather_python_stack(memory, *source.interpreter, *thread));
    if (!stack.frames.empty() && before && before->frames == stack.frames) return stack;
    before = std::move(stack);
  }
  return std::nullopt;
}

}  // namespace

void PythonProcesses::look_for_interpreter(int pid, const std::shared_ptr<const ModuleMap>& modules,
                                           Process& process) {
  if (process.modules == modules) return;
  // A map that was read again is mostly the same.
  if (process.modules != nullptr && modules != nullptr && *process.modules == *modules) {
    process.modules = modules;
    return;
  }
  process = Process{};
  process.modules = modules;
  if (modules == nullptr) return;
  ProcessMemory memory(pid);
  if (auto found = finder_.find(pid, *modules, memory)) {
    process.runner = std::make_shared<const FrameRunner>(
        FrameRunner{found->module, "_PyEval_EvalFrameDefault", found->eval_loop});
    process.interpreter = std::make_shared<const PythonInterpreter>(std::move(*found));
  }
}

void PythonProcesses::prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules) {
  Process& process = processes_[pid];
  look_for_interpreter(pid, modules, process);
  if (process.interpreter == nullptr || !process.interpreter->unreadable.empty()) return;
  ProcessMemory memory(pid);
  // The module may be loaded later; a program that never does is not searched for ever.
  constexpr unsigned kMostSearches = 16;
  if (!process.running_tasks && !process.asyncio && process.tasks_sought++ < kMostSearches) {
    process.running_tasks = find_running_tasks(memory, *process.interpreter);
    process.asyncio = finder_.find_asyncio(pid, *modules, memory, *process.interpreter);
  }
  const auto known = process.threads.find(tid);
  if (known != process.threads.end()) {
    const auto thread = read_python_thread(memory, *process.interpreter, known->second, tid);
    if (thread && thread->frame.value != 0) return;
    process.threads.erase(known);
  }
  const auto found = find_python_thread(memory, *process.interpreter, tid);
  if (!found) return;
  if (process.threads.size() >= kMostThreads) process.threads.clear();
  process.threads[tid] = found->state;
}

std::unique_ptr<StackCopy> PythonProcesses::copy(int pid, int tid, const Snapshot* /*snapshot*/) {
  const auto known = processes_.find(pid);
  if (known == processes_.end() || known->second.interpreter == nullptr) return nullptr;
  const Process& process = known->second;
  const PythonInterpreter& python = *process.interpreter;
  const auto make_copy = [&] {
    return std::make_unique<PythonCopy>(Source{process.interpreter, process.runner});
  };
  if (!python.unreadable.empty()) return make_copy();
  const auto state = process.threads.find(tid);
  if (state == process.threads.end()) return nullptr;
  ProcessMemory memory(pid);
  const auto thread = read_python_thread(memory, python, state->second, tid);
  if (!thread || thread->frame.value == 0) return nullptr;
  auto copy = make_copy();
  copy->gathered = gather_python_stack(memory, python, *thread);
  if (!copy->gathered.failure.empty()) return copy;
  std::vector<RemoteAddress> frames;
  for (const GatheredPythonStack::Frame& frame : copy->gathered.frames)
    frames.push_back(frame.address);
  if (process.running_tasks)
    copy->task = read_task_name(memory, python, *process.running_tasks, frames).value_or("");
  if (process.asyncio)
    copy->task =
        read_task_name(memory, python, *process.asyncio, thread->state, frames).value_or("");
  return copy;
}

std::optional<InterpreterLockWait> PythonProcesses::interpreter_lock(int pid, int tid,
                                                                     RemoteAddress condition) {
  const auto known = processes_.find(pid);
  if (known == processes_.end() || known->second.interpreter == nullptr) return std::nullopt;
  const Process& process = known->second;
  const auto state = process.threads.find(tid);
  if (state == process.threads.end()) return std::nullopt;
  const PythonInterpreter& python = *process.interpreter;
  ProcessMemory memory(pid);
  const auto gil = read_python_gil(memory, python, state->second);
  if (!gil || !lies_in_gil(*gil, condition)) return std::nullopt;
  InterpreterLockWait wait;
  if (gil->holder.value == 0) return wait;
  const auto holder = python_thread_id(memory, python, gil->holder);
  if (!holder || *holder == tid) return wait;
  wait.holder = *holder;
  wait.stack = stack_at(memory, {process.interpreter, process.runner}, gil->holder, *holder);
  return wait;
}

const PythonProcesses::Process* PythonProcesses::readable(int pid) const {
  const auto known = processes_.find(pid);
  if (known == processes_.end() || known->second.interpreter == nullptr) return nullptr;
  return known->second.interpreter->unreadable.empty() ? &known->second : nullptr;
}

std::optional<int> PythonProcesses::lock_owner(int pid, RemoteAddress semaphore,
                                               const Snapshot& waiter) {
  const Process* const process = readable(pid);
  if (process == nullptr) return std::nullopt;
  ProcessMemory memory(pid);
  return python_lock_owner(memory, *process->interpreter, semaphore, waiter);
}

std::optional<InterpreterStack> PythonProcesses::stack_of(int pid, int tid) {
  const Process* const process = readable(pid);
  if (process == nullptr) return std::nullopt;
  ProcessMemory memory(pid);
  const auto thread = find_python_thread(memory, *process->interpreter, tid);
  if (!thread) return std::nullopt;
  return stack_at(memory, {process->interpreter, process->runner}, thread->state, tid);
}

}  // namespace tailback
