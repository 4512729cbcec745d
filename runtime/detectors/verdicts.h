// What the analysis of an observation has found out and a detector needs to know. The only way
// back from analysis to detection: analysis posts plain values, and detectors take them at their
// next poll.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/loops/loop_wait.h"
#include "runtime/values/stall.h"

namespace tailback {

// Where a thread waits for work that it does not have. The thread is named by its record.
struct IdleWaitPlace {
  uint32_t record = 0;
  uint32_t generation = 0;
  uint64_t call_site = 0;
  uint64_t stack_pointer = 0;
};

// The stall in progress is none: the loop was over before its iteration reached the threshold.
struct NoStall {
  IterationId iteration;
};

// An iteration that has ended counts less than it was long, or is none of a loop's.
struct LengthJudged {
  IterationId iteration;
  Nanoseconds length{};
  Nanoseconds counts{};
  bool is_loop = true;
};

// The thread runs a loop that waits on a condition. It is named by its record.
struct ConditionLoop {
  uint32_t record = 0;
  uint32_t generation = 0;
};

using AnalysisVerdict = std::variant<IdleWaitPlace, NoStall, LengthJudged, ConditionLoop>;

// Safe from any thread.
class Verdicts {
 public:
  void post(AnalysisVerdict verdict) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(verdict));
  }

  // Those that were posted since the last call, in order.
  std::vector<AnalysisVerdict> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(posted_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<AnalysisVerdict> posted_;
};

}  // namespace tailback
