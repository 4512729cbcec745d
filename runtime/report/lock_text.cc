#include "runtime/report/lock_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/stack_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 32;
constexpr size_t kObjectColumns = 100;
constexpr size_t kPlaceColumns = 100;

std::string_view kind_text(LockKind kind) {
  switch (kind) {
    case LockKind::kMutex:
      return "a mutex";
    case LockKind::kRwlock:
      return "a read-write lock";
    case LockKind::kSpin:
      return "a spin lock";
    case LockKind::kSemaphore:
      return "a semaphore";
    case LockKind::kFutex:
      return "a futex";
    case LockKind::kFile:
      return "a lock on the file";
    case LockKind::kStream:
      return "a stream's lock";
    case LockKind::kThread:
      return "its end";
    case LockKind::kBarrier:
      return "a barrier";
    case LockKind::kCondition:
      return "a condition";
  }
  return "a lock";
}

}  // namespace

std::string lock_text(const Lock& lock) {
  std::string text = escape_for_terminal(lock.name, kObjectColumns);
  if (!text.empty()) text += ", ";
  if (lock.kind == LockKind::kThread) return text.empty() ? "a thread's end" : text + "its end";
  text += kind_text(lock.kind);
  if (!lock.type.empty()) text += " (" + escape_for_terminal(lock.type, kNameColumns * 2) + ")";
  if (!lock.holders.empty()) text += ", " + escape_for_terminal(lock.holders, kObjectColumns);
  return text;
}

std::string doing_text(const LockOwner& owner) {
  std::string at;
  if (owner.culprit < owner.stack.size()) {
    at = " at " + frame_text(owner.stack[owner.culprit], kPlaceColumns);
  }
  switch (owner.state) {
    case OwnerState::kBlocked: {
      if (!owner.call) return at.empty() ? "" : ", which is" + at;
      std::string text = ", which is in " + escape_for_terminal(owner.call->function, kNameColumns);
      if (!owner.call->object.empty()) {
        text += " of " + escape_for_terminal(owner.call->object, kObjectColumns);
      }
      return text + at;
    }
    case OwnerState::kRunning:
      return ", which is running" + at;
    case OwnerState::kRunnable:
      return ", which is ready to run and gets no CPU" + at;
    case OwnerState::kStopped:
      return ", which is stopped" + at;
    case OwnerState::kEnded:
      return "";
    case OwnerState::kUnknown:
      return at.empty() ? "" : ", which is" + at;
  }
  return "";
}

std::string owner_text(const LockOwner& owner) {
  if (owner.state == OwnerState::kEnded) {
    return fmt::format(
        "a lost owner: thread {}, which {}", owner.tid,
        owner.process.empty()
            ? std::string("has ended")
            : fmt::format("is of {}[{}]: this lock is a copy that a fork made",
                          escape_for_terminal(owner.process, kNameColumns), owner.pid));
  }
  std::string who =
      owner.tid == 0 || owner.tid == owner.pid
          ? fmt::format("{}[{}]", escape_for_terminal(owner.process, kNameColumns), owner.pid)
          : fmt::format("{}[{}]", escape_for_terminal(owner.thread, kNameColumns), owner.tid);
  if (owner.tid == 0) who = "process " + who;
  return who + doing_text(owner);
}

}  // namespace tailback
