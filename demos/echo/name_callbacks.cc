// A callback that looks a host up, where the name server takes its time.

#include <netdb.h>

#include "demos/echo/callbacks.h"
#include "demos/waits/slow_name_server.h"

namespace tailback::demo {
namespace {

void block_in_getaddrinfo(Milliseconds length) {
  const SlowNameServer server(length);
  server.use_on_this_thread();
  addrinfo hints{};
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  // EXPECT stall on="dns getaddrinfo" cause=dns call=getaddrinfo object="slow.tailback.test"
  // function=block_in_getaddrinfo
  if (getaddrinfo("slow.tailback.test.", "80", &hints, &found) == 0) {
    freeaddrinfo(found);
  }
}

constexpr Callback kCallbacks[] = {
    {"dns", "getaddrinfo", block_in_getaddrinfo},
};

}  // namespace

std::span<const Callback> name_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
