#include "runtime/interpreters/list.h"

#include <utility>

namespace tailback {

Interpreters::Interpreters() {
#define INTERPRETER(folder) all_.push_back(folder::make_interpreter());
#include "runtime/interpreters/list.inc"
#undef INTERPRETER
}

void Interpreters::prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules) {
  for (const auto& interpreter : all_) interpreter->prepare(pid, tid, modules);
}

std::vector<std::unique_ptr<StackCopy>> Interpreters::copy(int pid, int tid,
                                                           const Snapshot* snapshot) {
  std::vector<std::unique_ptr<StackCopy>> copies;
  for (const auto& interpreter : all_) {
    if (auto copy = interpreter->copy(pid, tid, snapshot)) copies.push_back(std::move(copy));
  }
  return copies;
}

std::optional<InterpreterLockWait> Interpreters::interpreter_lock(int pid, int tid,
                                                                  RemoteAddress condition) {
  for (const auto& interpreter : all_) {
    if (auto wait = interpreter->interpreter_lock(pid, tid, condition)) return wait;
  }
  return std::nullopt;
}

std::optional<int> Interpreters::lock_owner(int pid, RemoteAddress native_lock,
                                            const Snapshot& waiter) {
  for (const auto& interpreter : all_) {
    if (const auto owner = interpreter->lock_owner(pid, native_lock, waiter)) return owner;
  }
  return std::nullopt;
}

std::optional<InterpreterStack> Interpreters::stack_of(int pid, int tid) {
  for (const auto& interpreter : all_) {
    if (auto stack = interpreter->stack_of(pid, tid)) return stack;
  }
  return std::nullopt;
}

void Interpreters::forget(int pid) {
  for (const auto& interpreter : all_) interpreter->forget(pid);
}

}  // namespace tailback
