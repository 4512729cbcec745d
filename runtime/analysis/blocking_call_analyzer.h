// Calls that block a loop for less than the threshold, or (--strict) may block it.
#pragma once

#include "runtime/analysis/blame.h"
#include "runtime/report/reporter.h"

namespace tailback {

class BlockingCallAnalyzer {
 public:
  BlockingCallAnalyzer(StackReader& reader, Blame& blame, Reporter& reporter)
      : reader_(reader), blame_(blame), reporter_(reporter) {}

  void analyze(const BlockingCallSeen& seen);

 private:
  StackReader& reader_;
  Blame& blame_;
  Reporter& reporter_;
};

}  // namespace tailback
