// What is said of a session as a whole: its beginning, its end and its loops. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/values/contention.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/never_awaited.h"
#include "runtime/values/race.h"
#include "runtime/values/stall.h"

namespace tailback {

struct SessionStart {
  std::string version;  // of tailback
  WallTime time;
  std::vector<std::string> command;  // argv; empty under a bare preload, where `pid` tells
  int pid = 0;                       // of the first target
  int observer_pid = 0;
  std::string host;
  Nanoseconds threshold{};
};

struct LoopStatistics {
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  LoopIdentity loop;
  uint64_t iterations = 0;
  Nanoseconds busy{};      // sum of the iterations' lengths
  Nanoseconds lifetime{};  // from the loop's first wait to its last known moment
  // Percentiles come from a histogram: its error is in instrument/contract/histogram.h. The longest
  // is exact.
  Nanoseconds p50{};
  Nanoseconds p90{};
  Nanoseconds p99{};
  Nanoseconds p999{};
  Nanoseconds longest{};
};

// A thread is held for no longer than this, unless the machine takes its CPU away meanwhile.
inline constexpr Nanoseconds kPauseLimit = std::chrono::milliseconds(1);

// What the session could not record or report. All zero: nothing was lost.
struct Losses {
  uint64_t events = 0;     // ring full
  uint64_t threads = 0;    // no free thread record
  uint64_t processes = 0;  // no free process record
  uint64_t programs = 0;   // executed by a target without the recorder: its environment cleared,
                           // static, setuid
  uint64_t corrupt = 0;    // entries of the segment that made no sense
  uint64_t samples = 0;    // stalls of which no stack could be read

  bool any() const { return events + threads + processes + programs + corrupt + samples != 0; }
};

// A rule of a suppressions file, and what it kept back.
struct SuppressionUse {
  std::string file;
  unsigned line = 0;
  std::string rule;
  uint64_t stalls = 0;  // that it matches, and blocking calls; other rules may match them too
};

// What a session can say while it goes on.
struct SessionStatus {
  WallTime time;
  Nanoseconds duration{};  // of the session, so far
  uint64_t stalls = 0;     // final lines written
  Nanoseconds stalled{};   // sum of their durations
  uint64_t processes = 0;  // seen
  uint64_t threads = 0;
  std::vector<LoopStatistics> loops;  // those that have ended, too
};

// Of --blocking-calls and --strict.
struct BlockingCallCounts {
  uint64_t culprits = 0;  // that were told
  uint64_t calls = 0;     // of these
  // Calls that took long enough, but were not seen to wait: they may have lacked a CPU.
  uint64_t unseen = 0;
  uint64_t suppressed = 0;  // calls that rules kept back
};

struct SessionEnd {
  WallTime time;
  Nanoseconds duration{};
  std::optional<int> exit_status;  // of the command, if it exited
  std::optional<int> signal;       // that killed it
  uint64_t stalls = 0;             // final lines written
  Nanoseconds stalled{};           // sum of their durations
  uint64_t processes = 0;          // seen
  uint64_t threads = 0;
  Nanoseconds longest_hold{};  // longest time a target thread was held for sampling
  Losses losses;
  std::vector<LoopStatistics> loops;
  uint64_t suppressed = 0;  // stalls that rules kept back; not in `stalls`
  Nanoseconds suppressed_time{};
  std::vector<SuppressionUse> suppressions;  // every rule, used or not
  BlockingCallCounts blocking_calls;
  uint64_t deadlocks = 0;             // that were told
  uint64_t suppressed_deadlocks = 0;  // that rules kept back
  LockOrderCounts lock_orders;
  ContentionCounts contention;
  RaceCounts races;
  NeverAwaitedCounts never_awaited;
  std::vector<std::string> unused_options;  // "--loop worker*": it matched no thread that waits
};

}  // namespace tailback
