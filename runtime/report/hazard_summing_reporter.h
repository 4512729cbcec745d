// Stands in front of reporters that want each hazard twice only: when it is seen for the first
// time, and as a sum before the end.
#pragma once

#include "runtime/report/hazard_tally.h"
#include "runtime/report/reporter.h"

namespace tailback {

class HazardSummingReporter final : public Reporter {
 public:
  // `behind` must outlive this.
  explicit HazardSummingReporter(Reporter& behind) : behind_(behind) {}

  void session(const SessionStart& start) override { behind_.session(start); }
  void stall(const Stall& stall) override { behind_.stall(stall); }
  void note(const Note& note) override { behind_.note(note); }
  void deadlock(const Deadlock& deadlock) override { behind_.deadlock(deadlock); }
  void lock_order(const LockOrder& order) override { behind_.lock_order(order); }
  void never_awaited(const NeverAwaited& never_awaited) override {
    behind_.never_awaited(never_awaited);
  }
  void race(const Race& race) override { behind_.race(race); }
  void contention(const Contention& contention) override { behind_.contention(contention); }
  void status(const SessionStatus& status) override { behind_.status(status); }

  void hazard(const Hazard& hazard) override {
    const Hazard* sum = tally_.add(hazard);
    if (sum && sum->count == hazard.count) behind_.hazard(hazard);
  }
  void end(const SessionEnd& end) override {
    for (const Hazard* sum : tally_.by_total()) behind_.hazard(*sum);
    SessionEnd summed = end;
    summed.hazards.culprits = tally_.culprits();
    summed.hazards.calls = tally_.calls();
    behind_.end(summed);
  }

 private:
  Reporter& behind_;
  HazardTally tally_;
};

}  // namespace tailback
