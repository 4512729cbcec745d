// DEMO timer_in_loop: the same coroutines, where the fourth awaits a timer of 2 s
//
// D awaits good(), which takes two seconds: A, B and C go on meanwhile. blocking_in_loop is what
// happens when D sleeps in the loop instead.
//
// EXPECT nothing

#include <cstdio>

#include "demos/coroutines/loop.h"
#include "demos/coroutines/tick.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;
using tailback::demo::tick;

namespace {

Task good(Loop& loop) {
  co_await loop.timer(2s);
  std::puts("good() is back");
}

Task await_good(Loop& loop) {
  co_await loop.timer(250ms);
  co_await good(loop);
}

}  // namespace

int main() {
  Loop loop;
  const Task a = tick(loop, "A");
  const Task b = tick(loop, "B");
  const Task c = tick(loop, "C");
  const Task d = await_good(loop);
  loop.run();
}
