// A coroutine that wants to run every 100 ms, and says how long each step took it.
#pragma once

#include <chrono>
#include <cstdio>

#include "demos/coroutines/loop.h"

namespace tailback::demo {

inline Task tick(Loop& loop, const char* name) {
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;
  Clock::time_point last = Clock::now();
  for (int i = 0; i < 10; ++i) {
    co_await loop.timer(Milliseconds(100));
    const Clock::time_point now = Clock::now();
    const auto took = std::chrono::duration_cast<Milliseconds>(now - last);
    std::printf("%s after %4lld ms\n", name, static_cast<long long>(took.count()));
    last = now;
  }
}

}  // namespace tailback::demo
