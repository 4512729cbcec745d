#include "runtime/interpreters/python/processes.h"

#include <utility>

#include "runtime/interpreters/python/gil.h"
#include "runtime/interpreters/python/lock.h"
#include "runtime/interpreters/python/task.h"

namespace tailback {
namespace {

// As PythonProcesses::stack_of() gives it.
std::optional<PythonStack> stack_at(RemoteMemory& memory,
                                    const std::shared_ptr<const PythonInterpreter>& python,
                                    RemoteAddress state, int tid) {
  constexpr int kTries = 3;
  std::optional<PythonStack> before;
  for (int i = 0; i < kTries; ++i) {
    const auto thread = read_python_thread(memory, *python, state, tid);
    if (!thread || thread->frame.value == 0) return std::nullopt;
    PythonStack stack = decode_python_stack(*python, gather_python_stack(memory, *python, *thread));
    stack.interpreter = python;
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
  if (auto found = finder_.find(pid, *modules, memory))
    process.interpreter = std::make_shared<const PythonInterpreter>(std::move(*found));
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

std::optional<PythonRead> PythonProcesses::gather(int pid, int tid) {
  const auto known = processes_.find(pid);
  if (known == processes_.end() || known->second.interpreter == nullptr) return std::nullopt;
  const Process& process = known->second;
  const PythonInterpreter& python = *process.interpreter;
  PythonRead read;
  read.interpreter = process.interpreter;
  if (!python.unreadable.empty()) return read;
  const auto state = process.threads.find(tid);
  if (state == process.threads.end()) return std::nullopt;
  ProcessMemory memory(pid);
  const auto thread = read_python_thread(memory, python, state->second, tid);
  if (!thread || thread->frame.value == 0) return std::nullopt;
  read.gathered = gather_python_stack(memory, python, *thread);
  if (read.gathered.failure.empty()) {
    std::vector<RemoteAddress> frames;
    for (const GatheredPythonStack::Frame& frame : read.gathered.frames)
      frames.push_back(frame.address);
    if (process.running_tasks)
      read.task = read_task_name(memory, python, *process.running_tasks, frames).value_or("");
    if (process.asyncio)
      read.task =
          read_task_name(memory, python, *process.asyncio, thread->state, frames).value_or("");
  }
  return read;
}

std::optional<PythonGilWait> PythonProcesses::gil_wait(int pid, int tid, RemoteAddress condition) {
  const auto known = processes_.find(pid);
  if (known == processes_.end() || known->second.interpreter == nullptr) return std::nullopt;
  const auto state = known->second.threads.find(tid);
  if (state == known->second.threads.end()) return std::nullopt;
  const PythonInterpreter& python = *known->second.interpreter;
  ProcessMemory memory(pid);
  const auto gil = read_python_gil(memory, python, state->second);
  if (!gil || !lies_in_gil(*gil, condition)) return std::nullopt;
  PythonGilWait wait;
  if (gil->holder.value == 0) return wait;
  const auto holder = python_thread_id(memory, python, gil->holder);
  if (!holder || *holder == tid) return wait;
  wait.holder = *holder;
  wait.frames = stack_at(memory, known->second.interpreter, gil->holder, *holder);
  return wait;
}

std::shared_ptr<const PythonInterpreter> PythonProcesses::readable(int pid) const {
  const auto known = processes_.find(pid);
  if (known == processes_.end() || known->second.interpreter == nullptr) return nullptr;
  return known->second.interpreter->unreadable.empty() ? known->second.interpreter : nullptr;
}

std::optional<int> PythonProcesses::lock_owner(int pid, RemoteAddress semaphore,
                                               const Snapshot& waiter) {
  const auto python = readable(pid);
  if (python == nullptr) return std::nullopt;
  ProcessMemory memory(pid);
  return python_lock_owner(memory, *python, semaphore, waiter);
}

std::optional<PythonStack> PythonProcesses::stack_of(int pid, int tid) {
  const auto python = readable(pid);
  if (python == nullptr) return std::nullopt;
  ProcessMemory memory(pid);
  const auto thread = find_python_thread(memory, *python, tid);
  return thread ? stack_at(memory, python, thread->state, tid) : std::nullopt;
}

PythonStack decode(const PythonRead& read) {
  PythonStack stack = decode_python_stack(*read.interpreter, read.gathered);
  stack.interpreter = read.interpreter;
  if (stack.failure.empty()) stack.task = read.task;
  return stack;
}

}  // namespace tailback
