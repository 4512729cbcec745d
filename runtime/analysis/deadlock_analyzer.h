// Sets of threads that wait for each other: makes deadlocks of them.
#pragma once

#include <cstdint>

#include "runtime/analysis/lock_names.h"
#include "runtime/detectors/observation.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class DeadlockAnalyzer {
 public:
  DeadlockAnalyzer(StackReader& reader, LockNames& names, Reporter& reporter)
      : reader_(reader), names_(names), reporter_(reporter) {}

  void analyze(const DeadlockSeen& observation);

  uint64_t deadlocks() const { return deadlocks_; }

 private:
  DeadlockedThread thread_of(const DeadlockedThreadSample& sampled);

  StackReader& reader_;
  LockNames& names_;
  Reporter& reporter_;
  uint64_t deadlocks_ = 0;
};

}  // namespace tailback
