// What detectors emit: facts and snapshots, nothing unwound or explained yet. Plain values; samples
// are shared and never changed once taken. Of the order of locks and of contention the detectors
// still make the whole record.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/detectors/verdicts.h"
#include "runtime/locks/lock_graph.h"
#include "runtime/loops/loop_wait.h"
#include "runtime/sampling/sample.h"
#include "runtime/segment/findings.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/blocking_call.h"
#include "runtime/values/contention.h"
#include "runtime/values/deadlock.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/loop_sharing.h"
#include "runtime/values/note.h"
#include "runtime/values/session.h"
#include "runtime/values/stall.h"

namespace tailback {

// Says of `told` which thread of which process it is of.
template <typename Observed, typename Told>
void name_thread(const Observed& observed, Told& told) {
  told.pid = observed.pid;
  told.tid = observed.tid;
  told.process = observed.process;
  told.thread = observed.thread;
}

// A loop's thread while it waits for events.
struct LoopWaitSeen {
  int pid = 0;
  int tid = 0;
  LoopWait place;
  Snapshot snapshot;
  // What interpreters run there. Read of the first waits at a place only.
  std::optional<std::vector<InterpreterStack>> interpreted;
};

struct ObservedContributor {
  intercept::Function function = intercept::Function::kNone;
  uint64_t call_site = 0;
  uint64_t count = 0;
  Nanoseconds total{};
  Nanoseconds longest{};
};

// What code inside a target has found out by itself.
struct FindingSeen {
  contract::FindingKind kind = contract::FindingKind::kThreadSanitizer;
  WallTime time;
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  std::vector<FindingPart> parts;
  bool whole = true;  // all of it made sense
  std::shared_ptr<const ModuleMap> modules;
  // The modules are those of another process that executes the same program: their files are the
  // same, their addresses may not be.
  bool modules_of_other = false;
  // Read in a text, of a process that nobody saw alive: it may have handed its findings over, too.
  bool may_be_second = false;
};

struct StallSeen {
  uint64_t id = 0;
  StallState state = StallState::kEnded;
  WallTime begin;
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  LoopIdentity loop;
  IterationId iteration_id;
  LoopWait wait;  // that began the iteration; of iterations that were sampled
  Nanoseconds duration{};
  Nanoseconds threshold{};
  std::vector<WeighedSample> samples;
  std::vector<ObservedContributor> contributors;  // most time first
  std::optional<CallView> call;                   // in progress; no contributor has its time
  Nanoseconds other_calls{};
  TimeSpent spent;
  // Without a CPU since a reading before the iteration; see Evidence.
  std::optional<Nanoseconds> runnable_at_most;
  std::optional<uint64_t> pending_events;
  std::string iteration;  // its name, if the program gave it one
  std::shared_ptr<const ModuleMap> modules;
  std::vector<ReportLimit> limits;
  LoopSharing sharing = LoopSharing::kAlone;
};

// A main thread that has run a loop, in a call for long. It may be that the program ends.
struct ProgramEndSeen {
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  WallTime time;
  Nanoseconds waited{};                  // in the call, so far
  std::shared_ptr<const Sample> sample;  // with call and snapshot
  // Where the sample has no owners: the threads of the process that may be waited for.
  std::vector<OwnerSample> others;
};

// A thread of a deadlock, read where it waits.
struct DeadlockedThreadSample {
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  bool in_cycle = true;
  LockReading wants;
  std::vector<size_t> waits_for;  // indexes into DeadlockSeen::threads
  // Each of those holds what it wants; else only one of them may, not known which.
  bool holders_known = false;
  bool waits_for_nobody = false;
  std::shared_ptr<const Sample> sample;
};

struct DeadlockSeen {
  uint64_t id = 0;
  DeadlockKind kind = DeadlockKind::kCycle;
  WallTime time;
  Nanoseconds held{};
  std::vector<DeadlockedThreadSample> threads;  // the cycle first
  uint64_t more_blocked = 0;
};

// A call on a loop's thread that waited, or may wait. Begin and duration are the call's.
struct BlockingCallSeen {
  BlockingCallKind kind = BlockingCallKind::kWaited;
  StallSeen call;
};

// A thread that waits for another within an iteration. If it is a worker of a pool without work,
// `place` is to be posted as a verdict.
struct IdleWaitSeen {
  std::shared_ptr<const Sample> sample;  // with a snapshot
  int pid = 0;
  LoopSharing sharing = LoopSharing::kAlone;
  IdleWaitPlace place;
};

// A main thread that waits on a condition. If its stack is that of a loop, `loop` is to be posted
// as a verdict.
struct ConditionWaitSeen {
  std::shared_ptr<const Sample> sample;  // with a snapshot
  int pid = 0;
  ConditionLoop loop;
};

// A thread took a lock while it held others, or (`released`) released one that it has not taken.
struct AcquisitionSeen {
  int pid = 0;
  uint32_t generation = 0;  // of the process's record: of the programs that it has executed
  std::string process;
  WallTime time;
  bool released = false;
  Acquisition acquisition;                   // without its stack, which is in the snapshot
  std::shared_ptr<const Snapshot> snapshot;  // nullptr: none was captured
  std::shared_ptr<const ModuleMap> modules;
  bool sees_frees = false;  // it is seen when memory under a lock is freed
};

// What is new of a lock that threads wait for (--locks).
struct ContentionSeen {
  struct WaitingThread {
    std::shared_ptr<const Sample> waiter;
    std::shared_ptr<const Sample> owner;  // nullptr if it could not be sampled
    Nanoseconds weight{};                 // the part of the wait that they stand for
  };
  struct Place {
    uint64_t call_site = 0;
    uint64_t waits = 0;
    Nanoseconds total{};
    Nanoseconds longest{};
  };
  struct Totals {
    uint64_t waits = 0;
    Nanoseconds total{};
    Nanoseconds longest{};
    bool hold_known = false;
    bool hold_is_part = false;  // it lasted at least as long
    Nanoseconds longest_hold{};
    std::vector<Place> places;
  };

  uint32_t entry = 0;  // of the segment; a lock may have several
  int pid = 0;
  std::string process;
  uint64_t address = 0;
  std::string kind;
  uint64_t origin = 0;  // where it was initialised; 0: unknown
  std::shared_ptr<const ModuleMap> modules;
  std::vector<uint64_t> call_sites;  // of waits, to be named while their modules are known
  std::optional<WaitingThread> wait;
  std::optional<Totals> totals;  // at the end
};

struct NoteSeen {
  Note note;
};

// How the session stands. Detection does not know the counts of stalls and the duration.
struct StatusSeen {
  SessionStatus status;
};

using Observation = std::variant<StallSeen, BlockingCallSeen, LoopWaitSeen, IdleWaitSeen,
                                 ConditionWaitSeen, DeadlockSeen, AcquisitionSeen, ContentionSeen,
                                 FindingSeen, ProgramEndSeen, NoteSeen, StatusSeen>;

// Takes an observation from any thread, without waiting.
using Emit = std::function<void(Observation&&)>;

}  // namespace tailback
