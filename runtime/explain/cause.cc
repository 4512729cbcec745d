#include "runtime/explain/cause.h"

#include <algorithm>
#include <map>
#include <span>

#include "runtime/explain/culprit.h"
#include "runtime/values/library_code.h"

namespace tailback {

namespace {

using intercept::Family;

Family family_of(intercept::Function function) {
  const auto index = static_cast<uint32_t>(function);
  return index < intercept::kFunctionCount ? intercept::kFunctions[index].family : Family::kNone;
}

struct Biggest {
  Cause cause = Cause::kUnknown;
  Nanoseconds total{};
};

Biggest biggest(const std::map<Cause, Nanoseconds>& totals) {
  Biggest result;
  for (const auto& [cause, total] : totals) {
    if (total > result.total) result = {cause, total};
  }
  return result;
}

Nanoseconds time_in_calls(const Evidence& evidence) {
  Nanoseconds total = evidence.other_calls;
  for (const CallTime& call : evidence.calls) total += call.total;
  return total;
}

// Of an iteration that lacked a CPU for long, which makes every call longer: the one call that the
// thread was blocked in for most of the time that it was blocked. nullptr if there is none.
const CallTime* call_behind_delays(const Evidence& evidence) {
  const TimeSpent& spent = evidence.spent;
  if (!spent.known || spent.runnable * 4 < evidence.duration) return nullptr;
  const auto longest = std::max_element(
      evidence.calls.begin(), evidence.calls.end(),
      [](const CallTime& one, const CallTime& other) { return one.longest < other.longest; });
  const bool took_most = longest != evidence.calls.end() && longest->longest * 2 > spent.blocked &&
                         longest->longest <= spent.blocked + spent.blocked / 10;
  return took_most ? &*longest : nullptr;
}

// The cause of the recorded calls taken together.
Cause cause_of_calls(const Evidence& evidence) {
  if (const CallTime* call = call_behind_delays(evidence)) return call->cause;
  std::map<Cause, Nanoseconds> totals;
  Nanoseconds longest{};
  uint64_t count = 0;
  bool has_child = false;
  Nanoseconds in_waits{};
  for (const CallTime& call : evidence.calls) {
    totals[call.cause] += call.total;
    longest = std::max(longest, call.longest);
    count += call.count;
    has_child |= family_of(call.function) == Family::kProcess;
    if (family_of(call.function) == Family::kEvents) in_waits += call.total;
  }
  const Nanoseconds total = time_in_calls(evidence);
  // A nested wait for events in an iteration that also started or reaped a child waits for that
  // child: that is how runtimes run a command synchronously (node's execSync, Python's
  // communicate).
  if (has_child && in_waits * 2 > total) return Cause::kProcess;
  constexpr uint64_t kManyCalls = 3;
  if (count >= kManyCalls && longest * 2 < total) return Cause::kMany;
  return biggest(totals).cause;
}

// Whether the thread, while it had a CPU or needed none, computed in its calls in place of waiting:
// a name service that parses a large file, the constructors of what dlopen() loads. Work in the
// kernel is what the call is for, and whoever spins on a lock waits for it all the same.
bool computes_in_calls(const Evidence& evidence, Cause cause_of_calls) {
  const TimeSpent& spent = evidence.spent;
  return spent.known && spent.on_cpu - spent.in_kernel > (evidence.duration - spent.runnable) / 2 &&
         cause_of_calls != Cause::kLock && cause_of_calls != Cause::kMany;
}

}  // namespace

Cause decide_cause(const Evidence& evidence) {
  const Nanoseconds half = evidence.duration / 2;
  const Nanoseconds in_calls = time_in_calls(evidence);
  const TimeSpent& spent = evidence.spent;

  std::map<Cause, Nanoseconds> unrecorded;
  Nanoseconds unrecorded_total{};
  for (const SampledState& sample : evidence.samples) {
    if (!sample.blocked || sample.recorded) continue;
    unrecorded[sample.cause] += sample.weight;
    unrecorded_total += sample.weight;
  }

  // Looks that came late know less of the iteration than the calls that the recorder has summed up.
  const bool is_known_by_calls = in_calls > half && spent.unseen > half;
  const bool is_in_run_queue =
      spent.known && !is_known_by_calls && evidence.duration - spent.runnable <= evidence.threshold;
  const Cause without_cpu =
      spent.throttled > spent.runnable / 3 ? Cause::kThrottled : Cause::kRunQueueWait;
  if (spent.known && spent.runnable > half &&
      (is_in_run_queue || without_cpu == Cause::kThrottled)) {
    return without_cpu;
  }
  const bool was_seen = spent.known || !evidence.samples.empty();
  const bool may_be_in_run_queue =
      evidence.runnable_at_most.value_or(Nanoseconds{}) > half &&
      evidence.duration - *evidence.runnable_at_most <= evidence.threshold;
  if (in_calls > half) {
    const Cause cause = cause_of_calls(evidence);
    const bool is_guessed = is_known_by_calls || !was_seen;
    if (is_guessed && may_be_in_run_queue && cause != Cause::kSleep) return Cause::kRunQueueWait;
    return !is_known_by_calls && computes_in_calls(evidence, cause) ? Cause::kCpu : cause;
  }
  if (!was_seen && may_be_in_run_queue) return Cause::kRunQueueWait;
  if (spent.known && spent.on_cpu > half) return Cause::kCpu;
  if (spent.known && spent.in_faults > half) return Cause::kPageFault;
  if (unrecorded_total > half) return biggest(unrecorded).cause;

  Biggest most;
  const auto consider = [&](Cause cause, Nanoseconds time) {
    if (time > most.total) most = {cause, time};
  };
  if (is_in_run_queue) consider(without_cpu, spent.runnable);
  if (spent.known) {
    consider(Cause::kThrottled, spent.throttled);
    consider(Cause::kCpu, spent.on_cpu);
    consider(Cause::kPageFault, spent.in_faults);
  }
  // Of an iteration that nobody saw a few short calls tell nothing.
  if (was_seen || in_calls > half / 2) consider(cause_of_calls(evidence), in_calls);
  consider(biggest(unrecorded).cause, unrecorded_total);
  if (spent.known) consider(Cause::kUnknown, spent.blocked - in_calls - unrecorded_total);
  return most.cause;
}

bool is_blocked(Cause cause) {
  return cause != Cause::kCpu && cause != Cause::kRunQueueWait && cause != Cause::kUnknown &&
         cause != Cause::kThrottled && cause != Cause::kPageFault;
}

namespace {

using Names = std::span<const std::string_view>;

bool has_one_of(const Frame& frame, Names names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return frame.function.find(name) != std::string::npos;
  });
}

// Locks that are made of a futex (Qt's for readers and writers of a condition), by the functions
// that wait for one: Rust's std and parking_lot, Abseil, Qt, GLib. To the kernel they look like any
// wait for another thread.
constexpr std::string_view kLockFunctions[] = {"::lock_contended",
                                               "::write_contended",
                                               "::read_contended",
                                               "RawMutex::lock_slow",
                                               "RawRwLock::lock_shared_slow",
                                               "RawRwLock::lock_exclusive_slow",
                                               "::Mutex::Lock()",
                                               "::Mutex::ReaderLock()",
                                               "QBasicMutex::lockInternal(",
                                               "QReadWriteLock::tryLockFor",
                                               "QReadWriteLock::lockFor",
                                               "QReadWriteLock::contendedTryLockFor",
                                               "g_mutex_lock",
                                               "g_bit_lock"};

// Those of Abseil that wait for a condition, and have the lock then.
constexpr std::string_view kConditionFunctions[] = {"CondVar", "::Mutex::LockWhen",
                                                    "::Mutex::ReaderLockWhen", "::Mutex::Await"};

// By which all of these lock; not all have names.
constexpr std::string_view kLockOfAbseil[] = {"::Mutex::LockSlow("};

constexpr size_t kInnermost = 12;

// g_mutex_lock() leaves its frame to a function that mostly has no symbol. Of GLib's other waits
// only the join has such a one.
bool waits_for_gmutex(const std::vector<Frame>& stack) {
  return stack.size() > 1 && stack[0].function.empty() &&
         file_name(stack[0].module).starts_with("libglib-2.0.so") &&
         stack[1].function != "g_thread_join";
}

bool waits_for_futex_lock(const std::vector<Frame>& stack) {
  if (waits_for_gmutex(stack)) return true;
  for (size_t i = 0; i < std::min(stack.size(), kInnermost); ++i) {
    if (has_one_of(stack[i], kConditionFunctions)) return false;
    if (has_one_of(stack[i], kLockFunctions)) return true;
    if (has_one_of(stack[i], kLockOfAbseil)) {
      return i + 1 == stack.size() || !has_one_of(stack[i + 1], kConditionFunctions);
    }
  }
  return false;
}

}  // namespace

Cause cause_within_runtime(Cause cause, const std::vector<Frame>& stack) {
  if (cause != Cause::kWait) return cause;
  if (waits_for_futex_lock(stack)) return Cause::kLock;
  for (const Frame& frame : stack) {
    if (!file_name(frame.module).starts_with("libjvm.so")) continue;
    if (frame.function.starts_with("JVM_Sleep")) return Cause::kSleep;
    if (frame.function.starts_with("ObjectMonitor::enter")) return Cause::kLock;
  }
  return cause;
}

bool waits_on_own_word(const std::vector<Frame>& stack) {
  static constexpr std::string_view kWaitsOfAbseil[] = {"AbslInternalPerThreadSemWait",
                                                        "::synchronization_internal::Waiter::"};
  const auto waits = std::find_if(stack.begin(), stack.end(), [](const Frame& frame) {
    return !frame.function.empty() && !is_system_library(frame) && library_of(frame) != "std";
  });
  return waits != stack.end() &&
         (library_of(*waits) == "parking_lot" || has_one_of(*waits, kWaitsOfAbseil));
}

}  // namespace tailback
