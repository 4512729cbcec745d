// Finds out where the workers of a pool wait for work: asks analysis of each wait for another
// thread within an iteration, and makes known to the recorder what the answer is.
#pragma once

#include <cstdint>
#include <map>
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

  // Asks whether the call that the thread is in is such a wait; a few times for each place.
  void ask(const WatchedThread& thread, const CallView& call);
  void on_verdict(const IdleWaitPlace& place);
  // Whether other threads wait for events at the thread's epoll instance, as far as was asked.
  bool shares_loop(const WatchedThread& thread);
  void forget(const WatchedThread& thread) { asked_.erase(thread); }

 private:
  struct Asked {
    std::map<std::pair<uint64_t, uint64_t>, unsigned> places;  // call site, stack pointer
    bool shares_loop = false;
  };

  contract::Segment& segment_;
  StallBuilder& builder_;
  Emit emit_;
  PerThread<Asked> asked_;
};

}  // namespace tailback
