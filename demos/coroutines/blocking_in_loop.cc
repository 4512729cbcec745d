// Three coroutines share one loop. B calls bad(), which sleeps for two seconds: A and C, who only
// wait for timers of 100 ms, stand still as well. timer_in_loop is the same program, put right.

#include <cstdio>
#include <thread>

#include "demos/coroutines/loop.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;

namespace {

// Looks harmless to its caller, and holds the whole loop up.
void bad() {
  // EXPECT stall cause=sleep call=nanosleep|clock_nanosleep function=bad length_ms=2000
  std::this_thread::sleep_for(2s);
  std::puts("bad() is back");
}

Task tick(Loop& loop, const char* name) {
  for (int i = 0; i < 10; ++i) {
    co_await loop.timer(100ms);
    std::printf("%s\n", name);
  }
}

Task call_bad(Loop& loop) {
  co_await loop.timer(250ms);
  bad();
}

}  // namespace

int main() {
  Loop loop;
  const Task a = tick(loop, "A");
  const Task b = call_bad(loop);
  const Task c = tick(loop, "C");
  loop.run();
}
