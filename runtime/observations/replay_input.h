// What one thread of an observer read, from a recording.
#pragma once

#include <memory>
#include <string>

#include "runtime/observations/observation_file.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class ReplayInput : public DetectorInput {
 public:
  // Polls that are left. begin_poll() goes to the next; after the last one it stays there.
  virtual size_t polls_left() const = 0;
};

// `observations` must outlive it.
std::unique_ptr<ReplayInput> make_replay_input(const Observations& observations,
                                               const std::string& lane);

}  // namespace tailback
