// One stack of the program's native frames and of the JavaScript that V8 runs.
#pragma once

#include <string>
#include <vector>

#include "runtime/interpreters/v8/stack.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/frame.h"

namespace tailback {

// Puts JavaScript frames in the place of the native ones that run them: those whose caller's place
// on the stack is where the JavaScript frame says. What no native frame confirms was left behind by
// an earlier call, and is left out. Where unwinding ended before any JavaScript, the frames that
// hang together are put behind what it gave. `stack` is what symbolizing gave for `raw`, whole.
//
// Returns what limits the result, for a reader of the report; empty if nothing does: the engine
// can't be read, or a frame failed a check (the stack stays as it was), or the frames are a guess.
std::string merge_javascript_frames(const V8Stack& javascript, const RawStack& raw,
                                    std::vector<Frame>& stack);

}  // namespace tailback
