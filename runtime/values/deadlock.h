// A deadlock: threads that wait for each other, so that none of them will ever go on. A plain
// value.
#pragma once

#include <string>
#include <vector>

#include "runtime/values/limit.h"
#include "runtime/values/lock.h"
#include "runtime/values/stall.h"

namespace tailback {

enum class DeadlockKind {
  kCycle,      // each waits for what the next one holds
  kSelf,       // a thread waits for what it holds itself
  kLostOwner,  // the lock's owner has ended, or lives in another process, and will not give it back
};

inline constexpr std::array<std::string_view, 3> kDeadlockKindWords = {"cycle", "self",
                                                                       "lost-owner"};
constexpr std::string_view word(DeadlockKind kind) {
  return kDeadlockKindWords[static_cast<size_t>(kind)];
}

struct DeadlockedThread {
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  bool in_cycle = true;  // false: it waits for one of the others, and none waits for it
  BlockedCall call;      // that it waits in
  Lock wants;
  std::vector<Lock> holds;  // as far as they are known: those that the others wait for
  // Who would have to act for this one to go on: indexes into Deadlock::threads. Empty: nobody can.
  std::vector<size_t> waits_for;
  std::vector<Frame> stack;  // innermost first
  size_t culprit = 0;        // as in Stall
  bool stack_complete = true;
};

struct Deadlock {
  uint64_t id = 0;  // within the session, from 1
  DeadlockKind kind = DeadlockKind::kCycle;
  WallTime time;                          // when it was found
  Nanoseconds held{};                     // for how long it has lasted by then, at least
  std::vector<DeadlockedThread> threads;  // the cycle first, in its order
  uint64_t more_blocked = 0;              // threads that wait for these and are not listed
  std::vector<ReportLimit> limits;        // what limits this report
  std::string advice;                     // one line
  std::string fingerprint;
};

}  // namespace tailback
