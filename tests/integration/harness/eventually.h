// Waiting for something to become true, by asking or trying again and again.
#pragma once

#include <chrono>
#include <thread>

namespace tailback::test {

using Milliseconds = std::chrono::milliseconds;

// Whether `predicate()` was true within `patience`. Asks every 10 ms, and once more at the end.
template <typename Predicate>
bool eventually(Milliseconds patience, Predicate predicate) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    if (predicate()) {
      return true;
    }
    std::this_thread::sleep_for(Milliseconds(10));
  }
  return predicate();
}

// Whether one of at most `most` runs gives true. For what depends on how threads are scheduled.
template <typename Run>
bool in_one_run_of(int most, Run run) {
  for (int i = 0; i < most; ++i) {
    if (run()) return true;
  }
  return false;
}

}  // namespace tailback::test
