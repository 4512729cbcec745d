// Stands in front of reporters that want each hazard twice only: when it is seen for the first
// time, and as a sum before the end.
#pragma once

#include "runtime/report/hazard_tally.h"
#include "runtime/report/passing_reporter.h"

namespace tailback {

class HazardSummingReporter final : public PassingReporter {
 public:
  using PassingReporter::PassingReporter;

  void hazard(const Hazard& hazard) override {
    const Hazard* sum = tally_.add(hazard);
    if (sum && sum->count == hazard.count) behind().hazard(hazard);
  }
  void end(const SessionEnd& end) override {
    for (const Hazard* sum : tally_.by_total()) behind().hazard(*sum);
    SessionEnd summed = end;
    summed.hazards.culprits = tally_.culprits();
    summed.hazards.calls = tally_.calls();
    behind().end(summed);
  }

 private:
  HazardTally tally_;
};

}  // namespace tailback
