// One stack of a thread's native frames and of those that an interpreter runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/frame.h"

namespace tailback {

// Puts an interpreter's frames in the place of the native frames that run them, or that they are.
// `stack` is what symbolizing gave for `raw`, innermost first; `complete` says whether it reaches
// the thread's start. `paused`: the thread was running. Of more than kMostMergedFrames the
// outermost are left out, and `complete` becomes false.
//
// Returns what limits the result, for a reader of the report; empty if nothing does: the
// interpreter can't be read or its frames failed a check (the stack stays as it was), or the places
// of the frames are a guess.
std::string merge_frames(const InterpreterStack& interpreted, const RawStack& raw, bool paused,
                         std::vector<Frame>& stack, bool& complete);

inline constexpr size_t kMostMergedFrames = 256;

}  // namespace tailback
