// The other work of a loop: a coroutine that wants to run every 20 ms, and knows for how long it
// could not.
#pragma once

#include <algorithm>
#include <chrono>

#include "demos/coroutines/loop.h"

namespace tailback::demo {

// Beats until `done`. `longest` is the longest time from one beat to the next.
inline Task heartbeat(Loop& loop, const bool& done, std::chrono::milliseconds& longest) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point last = Clock::now();
  while (!done) {
    co_await loop.timer(std::chrono::milliseconds(20));
    const Clock::time_point now = Clock::now();
    longest = std::max(longest, std::chrono::duration_cast<std::chrono::milliseconds>(now - last));
    last = now;
  }
}

}  // namespace tailback::demo
