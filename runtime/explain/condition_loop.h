// Loops that wait on a condition, by the names of their functions.
#pragma once

#include <vector>

#include "runtime/values/frame.h"

namespace tailback {

// Whether a thread that waits with this stack waits as the loop of such a runtime: Tcl and Tk with
// threads (Tcl_WaitForEvent), R's package later, on which httpuv and Shiny are built.
bool is_condition_loop(const std::vector<Frame>& stack);

}  // namespace tailback
