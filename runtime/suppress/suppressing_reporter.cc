#include "runtime/suppress/suppressing_reporter.h"

#include <algorithm>
#include <utility>

#include "runtime/report/duration_text.h"

namespace tailback {

namespace {

// One acquisition, as rules know it: cause lock, and the name of what it took as the object.
Stall as_stall(const LockOrder& order, const LockStep& step) {
  Stall stall;
  stall.cause = Cause::kLock;
  stall.call = BlockedCall{};
  stall.call->function = "lock-order";
  if (step.taken < order.locks.size()) stall.call->object = order.locks[step.taken].name;
  stall.stack = step.stack;
  stall.culprit = step.culprit;
  stall.fingerprint = order.fingerprint;
  return stall;
}

}  // namespace

SuppressingReporter::SuppressingReporter(std::vector<Rule> rules, Reporter& behind)
    : ForwardingReporter(behind), rules_(std::move(rules)), uses_(rules_.size()) {}

template <typename Value>
bool SuppressingReporter::is_known(const Value& value, bool counts) {
  bool known = false;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].matches(value)) continue;
    known = true;
    if (counts) ++uses_[i];
  }
  return known;
}

void SuppressingReporter::stall(const Stall& stall) {
  const bool final = stall.state != StallState::kOngoing;
  const bool reported_before = reported_and_open_.contains(stall.id);
  if (!reported_before && is_known(stall, final)) {
    if (!final) return;
    ++suppressed_;
    suppressed_time_ = saturating_sum(suppressed_time_, stall.duration);
    return;
  }
  if (!reported_before) ++reported_;
  if (final) {
    reported_and_open_.erase(stall.id);
  } else {
    reported_and_open_.insert(stall.id);
  }
  behind().stall(stall);
}

void SuppressingReporter::blocking_call(const BlockingCall& blocking_call) {
  if (is_known(blocking_call.longest, true)) {
    suppressed_calls_ += blocking_call.count;
    return;
  }
  reported_blocking_calls_ += blocking_call.count;
  behind().blocking_call(blocking_call);
}

void SuppressingReporter::deadlock(const Deadlock& deadlock) {
  if (is_known(deadlock, true)) {
    ++suppressed_deadlocks_;
    return;
  }
  ++reported_deadlocks_;
  behind().deadlock(deadlock);
}

// A rule that matches one of its acquisitions matches the whole.
void SuppressingReporter::lock_order(const LockOrder& order) {
  bool known = false;
  for (const LockStep& step : order.steps) known |= is_known(as_stall(order, step), !known);
  const bool is_race = !order.found_by.empty();
  if (known) {
    ++(is_race ? suppressed_races_ : suppressed_orders_);
    return;
  }
  ++reported_lock_orders_;
  if (is_race) ++reported_races_;
  behind().lock_order(order);
}

void SuppressingReporter::never_awaited(const NeverAwaited& never_awaited) {
  if (is_known(never_awaited, true)) {
    ++suppressed_never_awaited_;
    return;
  }
  ++reported_never_awaited_;
  behind().never_awaited(never_awaited);
}

void SuppressingReporter::race(const Race& race) {
  if (is_known(race, true)) {
    ++suppressed_races_;
    return;
  }
  ++reported_races_;
  behind().race(race);
}

void SuppressingReporter::end(const SessionEnd& end) {
  SessionEnd told = end;
  told.stalls -= std::min(told.stalls, suppressed_);
  told.stalled -= std::min(told.stalled, suppressed_time_);
  told.suppressed = suppressed_;
  told.deadlocks -= std::min(told.deadlocks, suppressed_deadlocks_);
  told.suppressed_deadlocks = suppressed_deadlocks_;
  told.blocking_calls.suppressed = suppressed_calls_;
  told.suppressed_time = suppressed_time_;
  told.never_awaited.suppressed = suppressed_never_awaited_;
  told.never_awaited.told -= std::min(told.never_awaited.told, suppressed_never_awaited_);
  told.races.suppressed = suppressed_races_;
  told.races.told -= std::min(told.races.told, suppressed_races_);
  told.lock_orders.suppressed = suppressed_orders_;
  told.lock_orders.cycles -= std::min(told.lock_orders.cycles, suppressed_orders_);
  for (size_t i = 0; i < rules_.size(); ++i) {
    told.suppressions.push_back({rules_[i].file, rules_[i].line, rules_[i].text, uses_[i]});
  }
  behind().end(told);
}

}  // namespace tailback
