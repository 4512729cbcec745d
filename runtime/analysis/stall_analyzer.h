// Long iterations: makes stalls of them.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "runtime/analysis/blame.h"
#include "runtime/analysis/callbacks.h"
#include "runtime/analysis/idle_wait_judge.h"
#include "runtime/analysis/loop_end_judge.h"
#include "runtime/analysis/process_notes.h"
#include "runtime/report/reporter.h"

namespace tailback {

class StallAnalyzer {
 public:
  StallAnalyzer(StackReader& reader, Blame& blame, LoopEndJudge& loop_ends,
                IdleWaitJudge& idle_waits, Callbacks& callbacks, Reporter& reporter)
      : reader_(reader),
        blame_(blame),
        loop_ends_(loop_ends),
        idle_waits_(idle_waits),
        callbacks_(callbacks),
        reporter_(reporter) {}

  void analyze(const StallSeen& observation);

  // Of final lines, and the sum of their durations.
  uint64_t stalls() const { return stalls_; }
  Nanoseconds stalled() const { return stalled_; }

 private:
  void report(const StallSeen& observation);
  void add_limits(const StallSeen& observation, const std::vector<ReadSample>& samples,
                  Stall& stall);
  void add_contributors(const StallSeen& observation, Stall& stall);

  StackReader& reader_;
  Blame& blame_;
  LoopEndJudge& loop_ends_;
  IdleWaitJudge& idle_waits_;
  Callbacks& callbacks_;
  Reporter& reporter_;
  ProcessNotes process_notes_;
  std::set<uint64_t> open_;  // ids reported as ongoing, not yet as ended
  uint64_t stalls_ = 0;
  Nanoseconds stalled_{};
};

}  // namespace tailback
