// A lock that somebody waits for, and who holds it. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/call.h"

namespace tailback {

// The words are part of the JSON schema.
enum class LockKind {
  kMutex,
  kRwlock,
  kSpin,
  kSemaphore,
  kFutex,
  kFile,    // flock(), fcntl() or lockf() on a file
  kStream,  // the lock within a FILE
  kThread,  // its end is waited for
  kBarrier,
  kCondition,
};

inline constexpr std::array<std::string_view, 10> kLockKindWords = {
    "mutex", "rwlock", "spin",   "semaphore", "futex",
    "file",  "stream", "thread", "barrier",   "condition"};
constexpr std::string_view word(LockKind kind) {
  return kLockKindWords[static_cast<size_t>(kind)];
}

struct Lock {
  LockKind kind = LockKind::kMutex;
  // What a pthread lock was made as, where it is not the plain one: "recursive, robust"; of a lock
  // that is taken for reading or writing, which of them is meant: "read", "write".
  std::string type;
  // Its symbol ("cache_mutex", "table+40"), else what it lies in ("heap+0x12f0"), else its address;
  // a file's path; a thread's name and id.
  std::string name;
  uint64_t address = 0;  // 0 for what has none
  // What is known if no owner is: "held by 3 readers".
  std::string holders;

  bool operator==(const Lock&) const = default;
};

enum class OwnerState {
  kBlocked,   // in `call`
  kRunning,   // on a CPU
  kRunnable,  // ready to run, and got no CPU
  kStopped,   // by a signal or a debugger
  kEnded,     // the thread that took the lock has ended and never gave it back
  kUnknown,   // it went on before it could be read
};

inline constexpr std::array<std::string_view, 6> kOwnerStateWords = {
    "blocked", "running", "runnable", "stopped", "ended", "unknown"};
constexpr std::string_view word(OwnerState state) {
  return kOwnerStateWords[static_cast<size_t>(state)];
}

// A thread that holds a lock, at the moment of the look at who waits for it.
struct LockOwner {
  int pid = 0;
  int tid = 0;  // 0: a thread of the process, not known which
  std::string process;
  std::string thread;
  OwnerState state = OwnerState::kUnknown;
  Lock lock;                        // that it holds
  std::optional<BlockedCall> call;  // that it is in itself
  std::vector<Frame> stack;         // innermost first; empty: none could be read
  size_t culprit = 0;               // as in Stall
  bool stack_complete = true;

  bool operator==(const LockOwner&) const = default;
};

}  // namespace tailback
