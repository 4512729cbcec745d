// DEMO event_loop_1000: a thousand waits of 1 s on one thread take about 1 s
//
// A wait on a loop is a suspended coroutine: some hundred bytes in place of a thread's stack, and
// one epoll_wait for all of them. The table compares it with ten threads, as measured here.
//
// EXPECT nothing

#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <vector>

#include "demos/coroutines/loop.h"
#include "demos/pools/waiting_threads.h"

using namespace std::chrono_literals;
using tailback::demo::kilobytes_in_use;
using tailback::demo::kilobytes_reserved;
using tailback::demo::Loop;
using tailback::demo::Measurement;
using tailback::demo::Task;

namespace {

// Each wait has a timer of its own, which is a descriptor.
void allow_descriptors(rlim_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count) {
    limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

Task wait_once(Loop& loop, std::chrono::milliseconds duration) {
  co_await loop.timer(duration);
}

Task measure_meanwhile(Loop& loop, std::chrono::milliseconds delay, Measurement& measured) {
  co_await loop.timer(delay);
  measured.kilobytes += kilobytes_in_use();
  measured.reserved_kilobytes += kilobytes_reserved();
}

Measurement wait_on_a_loop(int tasks, std::chrono::milliseconds duration) {
  Loop loop;
  const auto begin = std::chrono::steady_clock::now();
  Measurement measured{"event loop", tasks, {}, -kilobytes_in_use(), -kilobytes_reserved()};
  const Task measurement = measure_meanwhile(loop, duration / 2, measured);
  std::vector<Task> waits;
  for (int i = 0; i < tasks; ++i) {
    waits.push_back(wait_once(loop, duration));
  }
  loop.run();
  measured.time = std::chrono::steady_clock::now() - begin;
  return measured;
}

}  // namespace

int main() try {
  constexpr int kTasks = 1000;
  allow_descriptors(kTasks + 64);
  const Measurement loop = wait_on_a_loop(kTasks, 1s);
  const Measurement threads = tailback::demo::wait_on_threads(10, 1s);
  std::puts("tasks of 1 s");
  tailback::demo::print_heading();
  tailback::demo::print(threads);
  tailback::demo::print(loop);
} catch (const std::exception& error) {
  std::fprintf(stderr, "event_loop_1000: %s\n", error.what());
  return 1;
}
