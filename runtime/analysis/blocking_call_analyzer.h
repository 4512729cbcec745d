// Calls that block a loop for less than the threshold, or (--strict) may block it.
#pragma once

#include "runtime/analysis/blame.h"
#include "runtime/analysis/idle_wait_judge.h"
#include "runtime/report/reporter.h"

namespace tailback {

class BlockingCallAnalyzer {
 public:
  BlockingCallAnalyzer(StackReader& reader, IdleWaitJudge& idle_waits, Blame& blame,
                       Reporter& reporter)
      : reader_(reader), idle_waits_(idle_waits), blame_(blame), reporter_(reporter) {}

  void analyze(const BlockingCallSeen& seen);

 private:
  StackReader& reader_;
  IdleWaitJudge& idle_waits_;
  Blame& blame_;
  Reporter& reporter_;
};

}  // namespace tailback
