// Passes every value on to several reporters, in the order in which they were added.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "runtime/report/reporter.h"

namespace tailback {

class FanOutReporter final : public Reporter {
 public:
  void add(std::unique_ptr<Reporter> reporter) { reporters_.push_back(std::move(reporter)); }
  bool empty() const { return reporters_.empty(); }

  void session(const SessionStart& start) override {
    for (const auto& reporter : reporters_) reporter->session(start);
  }
  void stall(const Stall& stall) override {
    for (const auto& reporter : reporters_) reporter->stall(stall);
  }
  void note(const Note& note) override {
    for (const auto& reporter : reporters_) reporter->note(note);
  }
  void blocking_call(const BlockingCall& blocking_call) override {
    for (const auto& reporter : reporters_) reporter->blocking_call(blocking_call);
  }
  void deadlock(const Deadlock& deadlock) override {
    for (const auto& reporter : reporters_) reporter->deadlock(deadlock);
  }
  void lock_order(const LockOrder& order) override {
    for (const auto& reporter : reporters_) reporter->lock_order(order);
  }
  void never_awaited(const NeverAwaited& never_awaited) override {
    for (const auto& reporter : reporters_) reporter->never_awaited(never_awaited);
  }
  void race(const Race& race) override {
    for (const auto& reporter : reporters_) reporter->race(race);
  }
  void contention(const Contention& contention) override {
    for (const auto& reporter : reporters_) reporter->contention(contention);
  }
  void status(const SessionStatus& status) override {
    for (const auto& reporter : reporters_) reporter->status(status);
  }
  void end(const SessionEnd& end) override {
    for (const auto& reporter : reporters_) reporter->end(end);
  }

 private:
  std::vector<std::unique_ptr<Reporter>> reporters_;
};

}  // namespace tailback
