// Finds out where the workers of a pool wait for work: asks analysis of each wait for another
// thread within an iteration, and makes known to the recorder what the answer is.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "runtime/detectors/observation.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/watched_thread.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class IdleWaitQuestions {
 public:
  IdleWaitQuestions(DetectorInput& input, StallBuilder& builder, Emit emit)
      : segment_(input.segment()), builder_(builder), emit_(std::move(emit)) {}

  // Asks whether the call that the thread is in is such a wait; a few times for each place, and
  // again once others serve the loop. The iteration began at this tick.
  void ask(const WatchedThread& thread, const CallView& call, uint64_t iteration_begin);
  void on_verdict(const IdleWaitPlace& place);
  void forget(const WatchedThread& thread) { asked_.erase(thread); }

 private:
  struct Asked {
    // By call site, stack pointer and how the loop is shared.
    std::map<std::tuple<uint64_t, uint64_t, LoopSharing>, unsigned> places;
  };

  contract::Segment& segment_;
  StallBuilder& builder_;
  Emit emit_;
  PerThread<Asked> asked_;
};

}  // namespace tailback
