// Stands in front of reporters that take each blocking call twice only: when it is seen for the
// first time, and as a sum before the end.
#pragma once

#include "runtime/report/blocking_call_tally.h"
#include "runtime/report/reporter.h"

namespace tailback {

class BlockingCallSummingReporter final : public Reporter {
 public:
  // `behind` must outlive this.
  explicit BlockingCallSummingReporter(Reporter& behind) : behind_(behind) {}

  void report(const Record& record) override {
    if (const auto* const call = std::get_if<BlockingCall>(&record)) {
      const BlockingCall* sum = tally_.add(*call);
      if (sum == nullptr || sum->count != call->count) return;
    } else if (const auto* const end = std::get_if<SessionEnd>(&record)) {
      for (const BlockingCall* sum : tally_.by_total()) behind_.report(*sum);
      SessionEnd summed = *end;
      Counts& counts = summed.counts[RecordKind::kBlockingCall];
      counts.reported = tally_.culprits();
      counts.repeated = tally_.calls() - tally_.culprits();
      behind_.report(summed);
      return;
    }
    behind_.report(record);
  }

 private:
  Reporter& behind_;
  BlockingCallTally tally_;
};

}  // namespace tailback
