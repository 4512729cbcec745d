// Stands in front of reporters that want each blocking call twice only: when it is seen for the
// first time, and as a sum before the end.
#pragma once

#include "runtime/report/blocking_call_tally.h"
#include "runtime/report/forwarding_reporter.h"

namespace tailback {

class BlockingCallSummingReporter final : public ForwardingReporter {
 public:
  using ForwardingReporter::ForwardingReporter;

  void blocking_call(const BlockingCall& blocking_call) override {
    const BlockingCall* sum = tally_.add(blocking_call);
    if (sum && sum->count == blocking_call.count) behind().blocking_call(blocking_call);
  }
  void end(const SessionEnd& end) override {
    for (const BlockingCall* sum : tally_.by_total()) behind().blocking_call(*sum);
    SessionEnd summed = end;
    summed.blocking_calls.culprits = tally_.culprits();
    summed.blocking_calls.calls = tally_.calls();
    behind().end(summed);
  }

 private:
  BlockingCallTally tally_;
};

}  // namespace tailback
