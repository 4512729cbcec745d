// One stack of the program's native frames and of those that its interpreter runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/interpreters/python/stack.h"
#include "runtime/values/frame.h"

namespace tailback {

// Puts a thread's Python frames in the place of the interpreter's native frames that run them: the
// calls of the eval loop. All others, C extensions between them too, stay. `stack` is what
// unwinding and symbolizing gave, innermost first; `complete` whether it reaches the thread's
// start. `held`: the thread was running. Of more than kMostMergedFrames the outermost are left out,
// and `complete` becomes false.
//
// Returns what limits the result, for a reader of the report; empty if nothing does: the
// interpreter can't be read or its frames failed a check (the stack stays as it was), or there are
// more Python frames than calls to run them, so that where some stand is a guess.
std::string merge_python_frames(const PythonStack& python, bool held, std::vector<Frame>& stack,
                                bool& complete);

// The frames alone.
std::vector<Frame> frames_of(const PythonStack& python);

inline constexpr size_t kMostMergedFrames = 256;

}  // namespace tailback
