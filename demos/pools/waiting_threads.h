// Many waits at once on as many threads.
#pragma once

#include <latch>
#include <thread>
#include <vector>

#include "demos/pools/blocking_read.h"
#include "demos/pools/measurement.h"

namespace tailback::demo {

// Each of `tasks` threads blocks in a read of `duration`.
inline Measurement wait_on_threads(int tasks, std::chrono::milliseconds duration) {
  const auto begin = std::chrono::steady_clock::now();
  Measurement measured{"threads", tasks, {}, -kilobytes_in_use(), -kilobytes_reserved()};
  {
    std::latch started(tasks);
    std::vector<std::jthread> threads;
    for (int i = 0; i < tasks; ++i) {
      threads.emplace_back([&started, duration] {
        started.count_down();
        blocking_read(duration);
      });
    }
    started.wait();
    std::this_thread::sleep_for(duration / 2);  // now all of them are in their reads
    measured.kilobytes += kilobytes_in_use();
    measured.reserved_kilobytes += kilobytes_reserved();
  }
  measured.time = std::chrono::steady_clock::now() - begin;
  return measured;
}

}  // namespace tailback::demo
