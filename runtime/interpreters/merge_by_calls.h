// Merging for an interpreter whose frames a native function runs, as CPython's do.
#pragma once

#include <string>
#include <vector>

#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/values/frame.h"

namespace tailback {

// Puts the frames in the place of the calls of the function that runs them. All other native
// frames, those of C extensions between them too, stay. For the rest see merge_frames(): the places
// of the frames are a guess where there are more of them than calls to run them.
std::string merge_by_calls(const InterpreterStack& interpreted, bool paused,
                           std::vector<Frame>& stack, bool& complete);

}  // namespace tailback
