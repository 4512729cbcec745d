// Whether a thread that waits for another is a worker of a pool without work.
#pragma once

#include <vector>

#include "runtime/values/frame.h"

namespace tailback {

// Told by the names of the scheduler's functions (tokio, Boost.Asio). In a program whose functions
// have no names: true if `shares_loop`, that is if several threads wait at its loop's epoll
// instance, as then only one of them can be the loop.
bool is_idle_stack(const std::vector<Frame>& stack, bool shares_loop);

}  // namespace tailback
