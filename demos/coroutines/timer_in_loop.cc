// Three coroutines share one loop. B awaits good(), which takes two seconds: A and C go on
// meanwhile. blocking_in_loop is what happens when B sleeps in the loop instead.
//
// EXPECT nothing

#include <cstdio>

#include "demos/coroutines/loop.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;

namespace {

Task good(Loop& loop) {
  co_await loop.timer(2s);
  std::puts("good() is back");
}

Task tick(Loop& loop, const char* name) {
  for (int i = 0; i < 10; ++i) {
    co_await loop.timer(100ms);
    std::printf("%s\n", name);
  }
}

Task await_good(Loop& loop) {
  co_await loop.timer(250ms);
  co_await good(loop);
}

}  // namespace

int main() {
  Loop loop;
  const Task a = tick(loop, "A");
  const Task b = await_good(loop);
  const Task c = tick(loop, "C");
  loop.run();
}
