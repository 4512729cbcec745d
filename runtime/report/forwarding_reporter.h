// Passes every value on to the reporter behind it: a base for those that stand in front of one and
// change some of them.
#pragma once

#include "runtime/report/reporter.h"

namespace tailback {

class ForwardingReporter : public Reporter {
 public:
  // `behind` must outlive this.
  explicit ForwardingReporter(Reporter& behind) : behind_(behind) {}

  void session(const SessionStart& start) override { behind_.session(start); }
  void stall(const Stall& stall) override { behind_.stall(stall); }
  void note(const Note& note) override { behind_.note(note); }
  void blocking_call(const BlockingCall& blocking_call) override {
    behind_.blocking_call(blocking_call);
  }
  void deadlock(const Deadlock& deadlock) override { behind_.deadlock(deadlock); }
  void lock_order(const LockOrder& order) override { behind_.lock_order(order); }
  void never_awaited(const NeverAwaited& never_awaited) override {
    behind_.never_awaited(never_awaited);
  }
  void race(const Race& race) override { behind_.race(race); }
  void contention(const Contention& contention) override { behind_.contention(contention); }
  void status(const SessionStatus& status) override { behind_.status(status); }
  void end(const SessionEnd& end) override { behind_.end(end); }

 protected:
  Reporter& behind() { return behind_; }

 private:
  Reporter& behind_;
};

}  // namespace tailback
