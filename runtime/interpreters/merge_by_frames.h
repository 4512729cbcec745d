// Merging for an interpreter whose frames are native ones themselves, as those of V8 are.
#pragma once

#include <string>
#include <vector>

#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/frame.h"

namespace tailback {

// Puts the frames in the place of the native ones whose caller stands on the stack where the frame
// says. A frame that no native one confirms was left behind by an earlier call, and is left out.
// Where unwinding ended before any frame of the interpreter, the frames that hang together follow
// the native ones, and are a guess. For the rest see merge_frames().
std::string merge_by_frames(const InterpreterStack& interpreted, const RawStack& raw,
                            std::vector<Frame>& stack);

}  // namespace tailback
