// DEMO dns: a host is looked up in the loop, and the name server takes half a second
//
// getaddrinfo() has no other way than to block. The cure: an asynchronous resolver (c-ares,
// getaddrinfo_a()), or a worker thread for it.

#include <netdb.h>

#include <cstdio>

#include "demos/coroutines/heartbeat.h"
#include "demos/waits/slow_name_server.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::SlowNameServer;
using tailback::demo::Task;

namespace {

void look_up() {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  // EXPECT stall cause=dns call=getaddrinfo object="slow.tailback.test" function=look_up
  if (getaddrinfo("slow.tailback.test.", "80", &hints, &found) == 0) {
    freeaddrinfo(found);
  }
}

Task serve(Loop& loop, const SlowNameServer& server, bool& done) {
  server.use_on_this_thread();
  co_await loop.timer(200ms);
  look_up();
  co_await loop.timer(100ms);
  done = true;
}

}  // namespace

int main() {
  const SlowNameServer server(500ms);
  Loop loop;
  bool done = false;
  std::chrono::milliseconds longest{};
  const Task beat = heartbeat(loop, done, longest);
  const Task service = serve(loop, server, done);
  loop.run();
  std::printf("the loop's other work had to wait for up to %lld ms\n",
              static_cast<long long>(longest.count()));
}
