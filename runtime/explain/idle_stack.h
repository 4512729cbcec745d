// Whether a thread that waits for another is a worker of a pool without work.
#pragma once

#include <vector>

#include "runtime/values/frame.h"
#include "runtime/values/loop_sharing.h"

namespace tailback {

// Where the scheduler is known (tokio, Boost.Asio), the names of its functions decide: a task that
// waits blocks the others that its worker has. Elsewhere threads that share a loop are a pool:
// while others serve the loop, one that waits for another thread blocks nobody. In a program whose
// functions have no names it is enough that the loop is shared.
bool is_idle_stack(const std::vector<Frame>& stack, LoopSharing sharing);

// Whether the thread has handed its loop to another one for as long as it blocks (tokio's
// block_in_place).
bool has_handed_loop_on(const std::vector<Frame>& stack);

}  // namespace tailback
