// What the watcher hands to the analyst: facts and snapshots, nothing unwound or explained yet.
// Plain values; samples are shared and never changed once taken.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/snapshot.h"
#include "runtime/explain/call_description.h"
#include "runtime/interpreters/python_stack.h"
#include "runtime/interpreters/v8_stack.h"
#include "runtime/session/findings.h"
#include "runtime/values/deadlock.h"
#include "runtime/values/stall.h"
#include "runtime/waits/wait_graph.h"
#include "runtime/watch/record_view.h"

namespace tailback {

struct Sample;

// Says of `told` which thread of which process it is of.
template <typename Observed, typename Told>
void name_thread(const Observed& observed, Told& told) {
  told.pid = observed.pid;
  told.tid = observed.tid;
  told.process = observed.process;
  told.thread = observed.thread;
}

// A look at the thread that holds what another waits for, while that one waits.
struct OwnerLook {
  int pid = 0;
  int tid = 0;  // 0: a thread of the process, not known which
  std::string process;
  std::string thread;
  OwnerState state = OwnerState::kUnknown;
  LockReading lock;                      // that it holds
  std::shared_ptr<const Sample> sample;  // nullptr: there is none
};

// One look at a thread within a turn.
struct Sample {
  enum class Source {
    kRecord,  // in a recorded call; registers as the recorder took them, unless it was held
    kKernel,  // blocked in what the recorder does not see; only two registers known
    kHold,    // running outside of any recorded call; held
    kNone,    // no stack could be read
  };
  Source source = Source::kNone;
  char state = '?';  // the kernel's letter
  std::optional<CallDescription> call;
  CallView recorded;      // valid for kRecord
  bool held = false;      // it computes; also within a recorded call
  bool in_fault = false;  // blocked by a page fault outside of any call; valid for kKernel
  std::optional<Snapshot> snapshot;
  std::optional<PythonStack> python;      // absent if the thread runs none
  std::optional<V8Stack> javascript;      // absent if the process has no V8
  std::optional<PythonStack> gil_holder;  // what the thread that has the interpreter's lock runs
  std::optional<PythonStack> lock_owner;  // what the thread that holds another lock runs
  std::string owner_name;                 // of the thread that holds the lock, if known
  // Who holds what this thread waits for, who holds what that one waits for, and so on.
  std::vector<OwnerLook> owners;
};

struct WeighedSample {
  std::shared_ptr<const Sample> sample;
  Nanoseconds weight{};  // the time that it stands for
  // The turn's age since when the thread is known to have been there: that at the call's entry,
  // else that of the look.
  Nanoseconds since{};
};

// Where a thread waits for the events of a loop, and how many turns it has completed there.
struct LoopWait {
  uint64_t key = 0;
  uint64_t call_site = 0;
  uint64_t stack_pointer = 0;
  uint64_t turns = 0;

  bool is_at_same_depth(const LoopWait& other) const {
    return key == other.key && call_site == other.call_site && stack_pointer == other.stack_pointer;
  }
};

inline LoopWait loop_wait_of(const SiteView& site) {
  return {site.key, site.call_site, site.stack_pointer, site.turns};
}

// What is found out of a turn whose loop was over before it ended. Safe from any thread.
struct LoopEnd {
  // The turn's age at which the loop was over, at the latest.
  std::atomic<Nanoseconds> since{Nanoseconds::max()};
  std::atomic<bool> leaves_no_stall{false};  // what lies before is short
};

// A loop's thread while it waits for events.
struct HomeObservation {
  int pid = 0;
  int tid = 0;
  LoopWait place;
  Snapshot snapshot;
};

struct ObservedContributor {
  intercept::Function function = intercept::Function::kNone;
  uint64_t call_site = 0;
  uint64_t count = 0;
  Nanoseconds total{};
  Nanoseconds longest{};
};

// What code inside a target has found out by itself.
struct FindingObservation {
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

struct StallObservation {
  uint64_t id = 0;
  StallState state = StallState::kEnded;
  WallTime begin;
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  LoopIdentity loop;
  LoopWait wait;                      // that began the turn; of turns that were looked at
  std::shared_ptr<LoopEnd> loop_end;  // of that turn; nullptr where nobody asks
  Nanoseconds duration{};
  Nanoseconds threshold{};
  std::vector<WeighedSample> samples;
  std::vector<ObservedContributor> contributors;  // most time first
  Nanoseconds other_calls{};
  TimeSpent spent;
  // Without a CPU since a reading before the turn; see Evidence.
  std::optional<Nanoseconds> runnable_at_most;
  std::optional<uint64_t> backlog;
  std::string turn;  // its name, if the program gave it one
  std::shared_ptr<const ModuleMap> modules;
  std::vector<std::string> notes;
  bool shares_loop = false;  // other threads wait for events at the same epoll instance
};

// A thread of a deadlock, read where it waits.
struct DeadlockedLook {
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  bool in_cycle = true;
  LockReading wants;
  std::vector<size_t> waits_for;  // indexes into DeadlockObservation::threads
  // Each of those holds what it wants; else only one of them may, not known which.
  bool holders_known = false;
  bool waits_for_nobody = false;
  std::shared_ptr<const Sample> sample;
};

struct DeadlockObservation {
  uint64_t id = 0;
  DeadlockKind kind = DeadlockKind::kCycle;
  WallTime time;
  Nanoseconds held{};
  std::vector<DeadlockedLook> threads;  // the cycle first
  uint64_t more_blocked = 0;
};

// A thread that waits for another within a turn: is it a worker of a pool without work?
struct ParkObservation {
  std::shared_ptr<const Sample> sample;  // with a snapshot
  int pid = 0;
  bool shares_loop = false;
  std::function<void()> is_idle;  // to be called if it is; from any thread
};

}  // namespace tailback
