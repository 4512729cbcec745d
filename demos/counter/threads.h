// Runs the same function on four threads that start together.
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace tailback::demo {

inline constexpr int kThreads = 4;

template <typename Function>
void on_all_threads(Function function) {
  std::latch start(kThreads);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&start, function] {
      start.arrive_and_wait();
      function();
    });
  }
}

}  // namespace tailback::demo
