// A reporter renders records somewhere, or passes them on.
#pragma once

#include "runtime/values/record.h"

namespace tailback {

class Reporter {
 public:
  virtual ~Reporter() = default;

  // All calls come from one thread, in this order: one SessionStart, any number of findings, notes
  // and statuses, one SessionEnd. A BlockingCall stands for one call; behind a
  // BlockingCallSummingReporter it is the first of its culprit or, before the end, the sum. A
  // Contention comes before the end, most time first. A reporter does not throw: what it can't
  // write it counts and says, and the session goes on.
  virtual void report(const Record& record) = 0;
};

}  // namespace tailback
