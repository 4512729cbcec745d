// Whose code is to blame: picking the frame that a person should look at first.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/values/frame.h"

namespace tailback {

// Index of the innermost frame that is the program's own: not libc, not a language's runtime
// library, and with a name. If there is none, the innermost outside libc; else the stack's size.
size_t find_culprit(const std::vector<Frame>& stack);

// Whether the frame is of libc, the loader or a language's runtime library.
bool is_system_library(const Frame& frame);

// Whether the stack belongs to a program that is ending (exit handlers, interpreter shutdown):
// its loop is over, and what it does now holds nobody up.
bool is_shutdown(const std::vector<Frame>& stack);

// Removes the recorder's own frames from the inner end of a stack.
void strip_recorder(std::vector<Frame>& stack);

}  // namespace tailback
