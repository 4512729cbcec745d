// The last resort where no call frame information is: the chain of frame pointers, which code from
// just-in-time compilers and much hand-written code keeps.
#pragma once

#include "runtime/capture/snapshot.h"
#include "runtime/unwind/machine_state.h"

namespace tailback {

// Moves `state` to the caller's frame. False, and `state` as it was, if the frame pointer does not
// look like one. It is a guess: a function that keeps none is stepped over unseen.
bool step_by_frame_pointer(const Snapshot& snapshot, MachineState& state);

}  // namespace tailback
