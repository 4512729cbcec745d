// Callbacks that are busy rather than blocked.

#include <cstdint>

#include "demos/echo/callbacks.h"
#include "demos/echo/echo_server.h"

namespace tailback::demo {
namespace {

volatile uint64_t sink;

// EXPECT stall on="cpu spin" cause=cpu call=none function=churn lines=+1..+7
[[gnu::noinline]] void churn() {
  uint64_t value = sink;
  for (int i = 0; i < 100'000; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
  }
  sink = value;
}

void spin(Milliseconds length) {
  const Clock::time_point end = Clock::now() + length;
  while (Clock::now() < end) {
    churn();
  }
}

std::chrono::nanoseconds own_cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// As much work as fills `length` of one CPU: on a busy machine it takes longer, which is the
// machine's fault.
void work(Milliseconds length) {
  const std::chrono::nanoseconds end = own_cpu_time() + length;
  while (own_cpu_time() < end) {
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
    {"cpu", "spin", spin},
    {"cpu", "work", work},
    {"many", "sleeps", sleep_twenty_times},
};

}  // namespace

std::span<const Callback> cpu_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
