// DEMO thread_pool: ten tasks of 1 s of blocking I/O on ten threads take about 1 s, not 10
//
// Threads that wait cost no CPU, so ten of them wait as quickly as one. What they cost is memory:
// a stack each, of which some is used and much more is reserved. There is no event loop here, so
// there is none to hold up.
//
// EXPECT nothing

#include <cstdio>
#include <exception>

#include "demos/pools/waiting_threads.h"

using namespace std::chrono_literals;
using tailback::demo::Measurement;

namespace {

Measurement wait_one_by_one(int tasks, std::chrono::milliseconds duration) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < tasks; ++i) {
    tailback::demo::blocking_read(duration);
  }
  return {"one by one", tasks, std::chrono::steady_clock::now() - begin, 0, 0};
}

}  // namespace

int main() try {
  const Measurement threads = tailback::demo::wait_on_threads(10, 1s);
  const Measurement one_by_one = wait_one_by_one(10, 100ms);
  std::puts("tasks of 1 s");
  tailback::demo::print_heading();
  tailback::demo::print(threads);
  std::puts("tasks of 0.1 s");
  tailback::demo::print(one_by_one);
} catch (const std::exception& error) {
  std::fprintf(stderr, "thread_pool: %s\n", error.what());
  return 1;
}
