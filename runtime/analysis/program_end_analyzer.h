// Programs that end and wait: for whom, and what that one does.
#pragma once

#include "runtime/analysis/blame.h"
#include "runtime/report/reporter.h"

namespace tailback {

class ProgramEndAnalyzer {
 public:
  ProgramEndAnalyzer(StackReader& reader, Blame& blame, OwnerReader& owners, Reporter& reporter)
      : reader_(reader), blame_(blame), owners_(owners), reporter_(reporter) {}

  // Reports the wait if its stack is that of a program's end.
  void analyze(const ProgramEndSeen& seen);

 private:
  StackReader& reader_;
  Blame& blame_;
  OwnerReader& owners_;
  Reporter& reporter_;
};

}  // namespace tailback
