// Finds deadlocks while the program hangs: threads of the session that wait for each other and will
// never go on.
//
// Nearly all polls cost next to nothing: only of threads that two polls have found in one and the
// same wait without a time limit it is read what they wait for. What then looks like a deadlocked
// set is proven: none of its threads has run between two readings of all its locks.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/detectors/detector.h"
#include "runtime/detectors/observation.h"
#include "runtime/locks/lock_holders.h"
#include "runtime/locks/wait_graph.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class DeadlockDetector final : public Detector {
 public:
  DeadlockDetector(DetectorInput& input, Emit emit);

  // The more time a poll takes, the later the next.
  Nanoseconds interval() const override { return interval_; }
  // Emits each deadlock once.
  void poll() override;

 private:
  // A thread in a wait that has no time limit.
  struct Waiter {
    uint32_t index = 0;
    uint32_t generation = 0;
    ThreadId thread;
    CallView call;

    bool same_wait(const Waiter& other) const {
      return index == other.index && generation == other.generation && call.same_call(other.call);
    }
  };
  using Waiters = std::vector<Waiter>;
  using Key = std::vector<std::pair<uint32_t, uint64_t>>;  // record and `entered` of its threads

  Waiters waiters() const;
  bool still_waits(const Waiter& waiter) const;
  // What it waits for, and who would have to act.
  std::optional<LockReading> read_wait(const Waiter& waiter) const;
  // Those of the last poll that are still in the same wait.
  Waiters stayed(Waiters now);
  // Proves that what looks like a deadlock is one, and emits it.
  void consider(const Waiters& waiters, DeadlockedSet deadlocked_set);
  // What is read once for all waiters of a poll.
  struct Surroundings {
    std::vector<ReadHold> readers;  // empty if none of the waiters needs them
    // By process: its threads, if all of them are among the waiters and no signal may run a handler
    // in one of them; else nothing.
    std::map<int, std::vector<ThreadId>> whole_processes;
  };
  Surroundings surroundings_of(const Waiters& waiters) const;
  Wait wait_of(const Waiter& waiter, const Surroundings& surroundings) const;
  std::vector<DeadlockedSet> deadlocked_sets_of(const Waiters& waiters) const;
  // The deadlocked_set of the first `in_cycle` of these and those behind it, if none of its threads
  // has run while all of it was read again; else nothing.
  std::optional<DeadlockedSet> prove(const Waiters& members, size_t in_cycle) const;
  static Key key_of(const Waiters& waiters, const DeadlockedSet& deadlocked_set);
  void join_lost(const Waiters& waiters, std::vector<DeadlockedSet>& deadlocked_sets) const;
  DeadlockSeen observe(const Waiters& members, const DeadlockedSet& deadlocked_set,
                       uint64_t more_blocked);

  DetectorInput& input_;
  contract::Segment& segment_;
  const Clock& clock_;
  ProcSource& proc_;
  Emit emit_;
  Waiters last_;
  std::set<Key> reported_;
  uint64_t next_id_ = 1;
  Nanoseconds interval_;
};

}  // namespace tailback
