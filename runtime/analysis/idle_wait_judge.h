// Whether a thread that waits for another one is a worker of a pool without work, and the time of
// such waits within an iteration.
#pragma once

#include <optional>

#include "runtime/detectors/observation.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class IdleWaitJudge {
 public:
  IdleWaitJudge(StackReader& reader, Verdicts& verdicts) : reader_(reader), verdicts_(verdicts) {}

  // Whether a thread that was sampled so waits for work.
  bool is_idle(int pid, const Sample& sample, LoopSharing sharing);

  // Posts the place as a verdict if it is one of an idle worker.
  void analyze(const IdleWaitSeen& wait);
  // Posts the thread as a verdict if it runs a loop that waits on a condition.
  void analyze(const ConditionWaitSeen& wait);

  // What is left of a stall without the time in which the thread had no work; nothing if the rest
  // is no stall.
  std::optional<StallSeen> without_idle_waits(const StallSeen& observation);

 private:
  StackReader& reader_;
  Verdicts& verdicts_;
};

}  // namespace tailback
