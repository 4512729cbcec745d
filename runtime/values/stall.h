// A stall: an iteration of an event loop that took longer than the threshold, with all that is
// known of it. A plain value: the watcher and explain/ fill it in, reporters only render it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/call.h"
#include "runtime/values/frame.h"
#include "runtime/values/limit.h"
#include "runtime/values/lock.h"

namespace tailback {

using Nanoseconds = std::chrono::nanoseconds;
using WallTime = std::chrono::system_clock::time_point;

// Why an iteration was long. The words are part of the JSON schema.
enum class Cause {
  kSleep,
  kFile,
  kSocket,
  kDns,
  kProcess,
  kIpc,
  kLock,
  kGil,
  kWait,
  kCpu,
  kRunQueueWait,
  kThrottled,
  kPageFault,
  kStopped,
  kSuspended,
  kMany,
  kUnknown,
};

inline constexpr std::array<std::string_view, 17> kCauseWords = {
    "sleep",      "file",    "socket",    "dns",  "process",        "ipc",
    "lock",       "gil",     "wait",      "cpu",  "run-queue-wait", "throttled",
    "page-fault", "stopped", "suspended", "many", "unknown"};

constexpr std::string_view word(Cause cause) {
  return kCauseWords[static_cast<size_t>(cause)];
}

// The wait for events that makes the thread a loop.
struct LoopIdentity {
  std::string wait;  // the libc function, "epoll_wait"
  int fd = -1;       // the epoll descriptor; -1 for poll and select

  bool operator==(const LoopIdentity&) const = default;
};

// Time that the calls of one function from one place took within the iteration.
struct ContributorShare {
  std::string function;
  Frame caller;
  uint64_t count = 0;
  Nanoseconds total{};
  Nanoseconds longest{};
};

// Where the iteration's time went, from the kernel's accounting: on_cpu, runnable and blocked make
// up the iteration. The kernel's figures are read at the observer's looks, not at the iteration's
// edges, and scaled from there.
struct TimeSpent {
  bool known = false;
  Nanoseconds on_cpu{};
  Nanoseconds runnable{};  // waiting for a CPU
  Nanoseconds in_calls{};  // within intercepted calls, by the recorder's sums; they may compute
  uint64_t major_faults = 0;
  Nanoseconds in_kernel{};  // the part of on_cpu that system calls and page faults took; rough
  Nanoseconds blocked{};    // waiting for anything but a CPU
  Nanoseconds throttled{};  // the part of runnable in which a cgroup's CPU quota was used up
  Nanoseconds in_faults{};  // the part of blocked in which pages were fetched, by the samples
  Nanoseconds
      unseen{};  // the part of the iteration that is taken to be like what the looks have seen
};

// A callback of an iteration, as samples have found it.
struct SampledCallback {
  std::string task;      // of asyncio, that it ran; empty if none or not known
  Frame entry;           // the program's function by which it begins
  unsigned samples = 0;  // that were taken in it
  Nanoseconds weight{};  // the time that these samples stand for
};

// One of the stacks that the looks at an iteration have found.
struct SampledStack {
  std::vector<Frame> stack;  // innermost first
  size_t culprit = 0;        // as in Stall
  bool complete = true;      // as Stall::stack_complete
  std::string call;          // the function that the thread was in; empty if none
  unsigned samples = 0;      // how often it was found
  Nanoseconds weight{};      // the time that these samples stand for
  // Index into the stall's callbacks; nothing if it is not known which one it was.
  std::optional<uint64_t> callback{};
};

enum class StallState { kOngoing, kEnded, kUnfinished };

inline constexpr std::array<std::string_view, 3> kStallStateWords = {"ongoing", "ended",
                                                                     "unfinished"};
constexpr std::string_view word(StallState state) {
  return kStallStateWords[static_cast<size_t>(state)];
}

struct Stall {
  uint64_t id = 0;  // within the session, from 1; the same for all lines of one stall
  StallState state = StallState::kEnded;
  WallTime begin;  // of the iteration
  int pid = 0;
  int tid = 0;
  std::string process;  // its name as the kernel has it (comm of the main thread)
  std::string thread;   // the thread's comm
  LoopIdentity loop;
  std::string iteration;   // the name that the program gave it; empty: none
  Nanoseconds duration{};  // of the iteration; so far, while ongoing
  Nanoseconds threshold{};
  Cause cause = Cause::kUnknown;
  std::optional<BlockedCall> call;  // that it was blocked in or, cause kCpu, computed in
  std::optional<Lock> lock;         // that the call waits for
  // Who has it; who has what that one waits for; and so on to the end. Empty if nobody is known.
  std::vector<LockOwner> owners;
  std::vector<Frame> stack;    // the culprit, innermost first; the recorder's frames removed
  bool stack_complete = true;  // false: unwinding did not reach the start of the thread
  // Index into `stack` of the frame to blame: the innermost that is the program's own code. The
  // stack's size if there is none.
  size_t culprit = 0;
  std::string task{};                // of asyncio, if all samples were in one; else empty
  unsigned samples = 0;              // how many times the stack was read during the stall
  std::vector<SampledStack> stacks;  // the distinct ones, most time first
  // Those that are distinct by task or function, most time first: at least so many ran. Empty if
  // not known.
  std::vector<SampledCallback> callbacks{};
  // Events that were ready when the loop came back: who paid. Absent while ongoing or if unknown.
  std::optional<uint64_t> pending_events;
  std::vector<ContributorShare> contributors;  // most time first
  TimeSpent spent;
  std::vector<ReportLimit> limits;  // what limits this report
  std::string advice;               // one line
  std::string fingerprint;          // equal for equal culprits, across runs
};

}  // namespace tailback
