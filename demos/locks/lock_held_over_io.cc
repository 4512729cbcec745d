// DEMO lock_held_over_io: a thread reads from a slow device under a lock that the loop needs, too
//
// The loop wants the lock for an instant, and waits for the whole read. The report names who holds
// it, and the read that it does meanwhile. The cure: read first, and lock for the result only.

#include <cstdio>
#include <mutex>
#include <thread>

#include "demos/coroutines/heartbeat.h"
#include "demos/pools/blocking_read.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;

namespace {

std::mutex cache_mutex;
int cached = 0;

void refresh_cache() {
  const std::lock_guard lock(cache_mutex);
  tailback::demo::blocking_read(500ms);
  ++cached;
}

int look_up() {
  // EXPECT stall cause=lock call=pthread_mutex_lock object="cache_mutex" function=look_up
  const std::lock_guard lock(cache_mutex);
  return cached;
}

Task serve(Loop& loop, bool& done) {
  co_await loop.timer(100ms);
  const std::jthread refresher(refresh_cache);
  co_await loop.timer(100ms);
  look_up();
  co_await loop.timer(100ms);
  done = true;
}

}  // namespace

int main() {
  Loop loop;
  bool done = false;
  std::chrono::milliseconds longest{};
  const Task beat = heartbeat(loop, done, longest);
  const Task service = serve(loop, done);
  loop.run();
  std::printf("the loop's other work had to wait for up to %lld ms\n",
              static_cast<long long>(longest.count()));
}
