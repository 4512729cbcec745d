// Who waits for whom, and who of them will wait for ever. A pure function of the waits; knows
// nothing of how they were found out.
#pragma once

#include <compare>
#include <cstddef>
#include <vector>

namespace tailback {

struct ThreadId {
  int pid = 0;
  int tid = 0;
  auto operator<=>(const ThreadId&) const = default;
};

// One of those that stand in the way of a wait's end.
struct Blocker {
  // Any one of them can step aside: the thread that holds the lock; all threads of a process where
  // only that is known. Nobody: it is gone for good.
  std::vector<ThreadId> threads;
};

// A thread that waits without a time limit.
struct Wait {
  ThreadId thread;
  // All of them have to step aside: a lock's owner, each of its readers. None: the wait may end at
  // any time, for all that is known.
  std::vector<Blocker> blockers;
  enum class Kind {
    kLock,       // for what another holds
    kIteration,  // for another's end or its next step: a join, a semaphore, a barrier
    kRest,       // for something to happen (a condition): a thread may well wait so for ever
  };
  Kind kind = Kind::kLock;
};

struct DeadlockedSet {
  // Indexes of the waits that hold each other up; in the order of the cycle, if it is one.
  std::vector<size_t> cycle;
  // Those that wait for them, directly or not, and that none of them waits for.
  std::vector<size_t> behind;
};

// A thread waits for ever if one of its blockers consists of threads that all wait for ever. Gives
// the deadlocked_sets among these, each once; but threads at rest are one only if a lock is held
// among them. `waits` has at most one entry per thread.
std::vector<DeadlockedSet> find_deadlocked_sets(const std::vector<Wait>& waits);

}  // namespace tailback
