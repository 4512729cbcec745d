// What is reported of a session as a whole: its beginning, its end and its loops. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/values/record_kind.h"
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
  // Of --lock-order: acquisitions whose order is missing, for the ring, a list or the graph was
  // full; stacks for which there was no room, or which the program may not have taken.
  uint64_t lock_acquisitions = 0;
  uint64_t lock_programs = 0;  // too many at once: the orders of one were forgotten
  uint64_t lock_stacks = 0;
  uint64_t lock_waits = 0;  // of --locks: for locks that found no room

  bool any() const {
    return (events | threads | processes | programs | corrupt | samples | lock_acquisitions |
            lock_programs | lock_stacks | lock_waits) != 0;
  }
};

// A rule of a suppressions file, and what it matched.
struct SuppressionUse {
  std::string file;
  unsigned line = 0;
  std::string rule;
  uint64_t matches = 0;  // records; other rules may match them too
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

struct SessionEnd {
  WallTime time;
  Nanoseconds duration{};
  std::optional<int> exit_status;  // of the command, if it exited
  std::optional<int> signal;       // that killed it
  KindCounts counts;               // a stall counts once, by its final record
  Nanoseconds stalled{};           // sum of the durations of the stalls that were reported
  uint64_t processes = 0;          // seen
  uint64_t threads = 0;
  Nanoseconds longest_pause{};  // longest time a target thread was stopped to be read
  Losses losses;
  std::vector<LoopStatistics> loops;
  Nanoseconds suppressed_time{};  // sum of the durations of the stalls that rules matched
  std::vector<SuppressionUse> suppressions;  // every rule, used or not
  std::vector<std::string> unused_options;   // "--loop worker*": it matched no thread that waits
};

}  // namespace tailback
