// Callbacks that are busy rather than blocked.

#include <cstdint>

#include "demos/echo/callbacks.h"

namespace tailback::demo {
namespace {

volatile uint64_t sink;

// EXPECT stall on="cpu work" cause=cpu call=none function=churn lines=+1..+7
[[gnu::noinline]] void churn() {
  uint64_t value = sink;
  for (int i = 0; i < 1'000'000; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
  }
  sink = value;
}

std::chrono::nanoseconds own_cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// As much work as fills about `length` of one CPU: on a busy machine it takes longer, which is the
// machine's fault. The amount is set beforehand, since a thread that asks for its CPU time again
// and again is preempted where it asks.
void work(Milliseconds length) {
  const std::chrono::nanoseconds begin = own_cpu_time();
  churn();
  const std::chrono::nanoseconds one = own_cpu_time() - begin;
  for (std::chrono::nanoseconds done = one; done < length; done += one) {
    churn();
  }
}

// Twenty waits, none of which is long by itself.
void sleep_twenty_times(Milliseconds length) {
  const timespec duration = to_timespec(std::chrono::nanoseconds(length) / 20);
  for (int i = 0; i < 20; ++i) {
    // EXPECT stall on="many sleeps" cause=many contributor=nanosleep*20 function=sleep_twenty_times
    nanosleep(&duration, nullptr);
  }
}

constexpr Callback kCallbacks[] = {
    {"cpu", "work", work},
    {"many", "sleeps", sleep_twenty_times},
};

}  // namespace

std::span<const Callback> cpu_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
