// Why an iteration was long, decided from evidence.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "instrument/contract/intercepts.h"
#include "runtime/values/stall.h"

namespace tailback {

// Calls of one function from one place, by the recorder's sums.
struct CallTime {
  intercept::Function function = intercept::Function::kNone;
  Cause cause = Cause::kUnknown;  // of its family, or of its object where a sample has seen that
  uint64_t count = 0;
  Nanoseconds total{};
  Nanoseconds longest{};
};

// What one look at the thread has seen, and how long it stood for.
struct SampledState {
  bool blocked = false;           // in a call (recorded, or the kernel's)
  bool recorded = false;          // in a recorded call: its time is in the sums too
  Cause cause = Cause::kUnknown;  // of the call
  Nanoseconds weight{};
};

struct Evidence {
  Nanoseconds duration{};
  Nanoseconds threshold{};
  std::vector<CallTime> calls;
  Nanoseconds other_calls{};  // calls that are in no CallTime
  TimeSpent spent;
  // An upper bound of the time without a CPU, from a reading before the iteration: for iterations
  // that hardly any look has seen. Nothing if there is none.
  std::optional<Nanoseconds> runnable_at_most;
  std::vector<SampledState> samples;
};

// Rules, in this order. More than half of the iteration spent
//   1. without a CPU, and for more than a third of that as the cgroup's quota was used up, of which
//      kernels count about a half where the quota is small: throttled
//   2. ready to run without a CPU, and the rest of it under the threshold: starved. An iteration
//   that is
//      too long even without that wait has a cause of its own. Neither does it count if most of
//      the iteration was not looked at and the calls are known, unless the thread may have lacked a
//      CPU for as long: an observer that comes so late lacks one itself. A sleep needs none
//   3. in recorded calls: the cause that took most of that time; many, if no single call stands
//      out; of an iteration that lacked a CPU for a quarter of its time, which makes all calls
//      longer, the one that it was blocked in; cpu, if the calls did not wait but computed, other
//      than by spinning on a lock
//   4. on CPU: cpu
//   5. blocked by page faults: fault
//   6. blocked in what the recorder does not see: what the samples say
// else the biggest of these shares; unknown, if that is what it was blocked in. Of an iteration
// that no look has seen: starved, if the thread may have lacked a CPU for as long; the cause of its
// calls if they took more than a quarter; else unknown.
Cause decide_cause(const Evidence& evidence);

// Whether the thread waited for something but a CPU or a page.
bool is_blocked(Cause cause);

// What a runtime's own functions in the stack tell beyond that: the JVM also sleeps, and waits for
// the locks of its objects, on condition variables.
Cause cause_within_runtime(Cause cause, const std::vector<Frame>& stack);

// Whether a thread that waits on a futex waits on a word of its own: parking_lot and Abseil keep
// the threads that wait for a lock in lists, and wake each by its word. The lock itself is
// elsewhere.
bool waits_on_own_word(const std::vector<Frame>& stack);

}  // namespace tailback
