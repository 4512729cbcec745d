// Long iterations that have ended, until it is known how many events were ready at the wait that
// followed.
#pragma once

#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/detectors/observation.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class EndedIterations {
 public:
  EndedIterations(DetectorInput& input, Emit emit)
      : segment_(input.segment()), clock_(input.clock()), emit_(std::move(emit)) {}

  void add(const contract::Event& event, StallSeen stall);
  void on_pending_events(const contract::Event& event);
  // Emits those of which that is known or will not be; all of them if `all`.
  void settle(bool all);

 private:
  struct Ended {
    contract::Event event;
    StallSeen stall;
    unsigned polls = 0;
  };
  bool found_nothing(const contract::Event& event) const;

  const contract::Segment& segment_;
  const Clock& clock_;
  Emit emit_;
  std::vector<Ended> ended_;
};

}  // namespace tailback
