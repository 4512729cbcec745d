// What held event loops up, summed up by culprit from the stalls that were reported.
#pragma once

#include <map>
#include <string>

#include "runtime/values/assessment.h"
#include "runtime/values/stall.h"

namespace tailback {

class LoopBlockers {
 public:
  // Of a stall that has ended, or was not to end.
  void add(const Stall& stall);

  // The culprit that took most time. Total 0: there is none.
  LoopTrouble worst_call() const { return worst(blocked_); }
  LoopTrouble worst_computing() const { return worst(computing_); }

 private:
  using Troubles = std::map<std::string, LoopTrouble>;  // by fingerprint
  static LoopTrouble worst(const Troubles& troubles);

  Troubles blocked_;
  Troubles computing_;
};

}  // namespace tailback
