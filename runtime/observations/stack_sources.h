// Where stacks and names come from, and what is proven of a program's code: written down, and
// played back.
#pragma once

#include <memory>

#include "runtime/analysis/loop_ends.h"
#include "runtime/observations/observation_file.h"
#include "runtime/sampling/stack_source.h"

namespace tailback {

std::unique_ptr<StackSource> make_recording_stacks(std::unique_ptr<StackSource> real,
                                                   ObservationWriter& writer);
std::unique_ptr<LoopEnds> make_recording_loop_ends(ObservationWriter& writer);

// `observations` must outlive them.
std::unique_ptr<StackSource> make_replay_stacks(const Observations& observations);
std::unique_ptr<LoopEnds> make_replay_loop_ends(const Observations& observations);

}  // namespace tailback
