// DEMO blocking_in_loop: a coroutine sleeps for 2 s in a loop that it shares with three others
//
// A, B and C only wait for timers of 100 ms. D calls bad(), which sleeps: all of them stand still,
// and three events wait when the loop comes back. timer_in_loop is the same program, put right.

#include <cstdio>
#include <thread>

#include "demos/coroutines/loop.h"
#include "demos/coroutines/tick.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;
using tailback::demo::tick;

namespace {

// Looks harmless to its caller, and holds the whole loop up.
void bad() {
  // EXPECT stall cause=sleep call=nanosleep|clock_nanosleep function=bad length_ms=2000
  // pending_events=3
  std::this_thread::sleep_for(2s);
  std::puts("bad() is back");
}

Task call_bad(Loop& loop) {
  co_await loop.timer(250ms);
  bad();
}

}  // namespace

int main() {
  Loop loop;
  const Task a = tick(loop, "A");
  const Task b = tick(loop, "B");
  const Task c = tick(loop, "C");
  const Task d = call_bad(loop);
  loop.run();
}
