// Stands in front of a reporter and keeps back what the rules match. The end says what each rule
// kept back.
#pragma once

#include <atomic>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "runtime/report/forwarding_reporter.h"
#include "runtime/suppress/rule.h"

namespace tailback {

// A stall that has once been told, while it went on, is told to its end whatever it turns into, so
// that no line of a report is left without its final one.
class SuppressingReporter final : public ForwardingReporter {
 public:
  // `behind` must outlive this.
  SuppressingReporter(std::vector<Rule> rules, Reporter& behind);

  void stall(const Stall& stall) override;
  void blocking_call(const BlockingCall& blocking_call) override;
  void deadlock(const Deadlock& deadlock) override;
  void lock_order(const LockOrder& order) override;
  void never_awaited(const NeverAwaited& never_awaited) override;
  void race(const Race& race) override;
  void end(const SessionEnd& end) override;

  // Stalls that were told, those that still go on among them. Any thread may ask.
  uint64_t told() const { return reported_.load(); }
  // Calls that were told as blocking calls. Any thread may ask.
  uint64_t reported_blocking_calls() const { return reported_blocking_calls_.load(); }
  // Deadlocks that were told. Any thread may ask.
  uint64_t reported_deadlocks() const { return reported_deadlocks_.load(); }
  // Orders of locks that can deadlock. Any thread may ask.
  uint64_t reported_lock_orders() const { return reported_lock_orders_.load(); }
  // Findings of ThreadSanitizer, its orders of locks among them. Any thread may ask.
  uint64_t reported_races() const { return reported_races_.load(); }
  // Places that make coroutines which are never awaited.
  uint64_t reported_never_awaited() const { return reported_never_awaited_.load(); }

 private:
  // Whether a rule matches. Counts for every rule that does, if `counts`.
  template <typename Value>
  bool is_known(const Value& value, bool counts);

  std::vector<Rule> rules_;
  std::vector<uint64_t> uses_;                      // by rule
  std::unordered_set<uint64_t> reported_and_open_;  // stall ids
  std::atomic<uint64_t> reported_ = 0;
  std::atomic<uint64_t> reported_blocking_calls_ = 0;
  std::atomic<uint64_t> reported_deadlocks_ = 0;
  uint64_t suppressed_deadlocks_ = 0;
  std::atomic<uint64_t> reported_lock_orders_ = 0;
  std::atomic<uint64_t> reported_races_ = 0;
  std::atomic<uint64_t> reported_never_awaited_ = 0;
  uint64_t suppressed_never_awaited_ = 0;
  uint64_t suppressed_races_ = 0;
  uint64_t suppressed_calls_ = 0;  // of blocking calls
  uint64_t suppressed_orders_ = 0;
  uint64_t suppressed_ = 0;
  Nanoseconds suppressed_time_{};
};

}  // namespace tailback
