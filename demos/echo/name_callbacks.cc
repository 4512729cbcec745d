// A callback that looks a host up, where the name server takes its time.

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "demos/echo/callbacks.h"

namespace tailback::demo {
namespace {

// A name server on loopback that answers one question, late, with "no such name".
class SlowNameServer {
 public:
  explicit SlowNameServer(Milliseconds delay) : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_);
    socklen_t length = sizeof address_;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &length);
    thread_ = std::jthread([this, delay] { serve(delay); });
  }
  ~SlowNameServer() {
    shutdown(fd_, SHUT_RDWR);  // ends a serve() that was never asked
    thread_.join();
    close(fd_);
  }
  SlowNameServer(const SlowNameServer&) = delete;
  SlowNameServer& operator=(const SlowNameServer&) = delete;

  // Makes this thread's resolver ask this server, once, and wait for long.
  void use_on_this_thread() const {
    res_init();
    _res.nscount = 1;
    _res.nsaddr_list[0] = address_;
    _res.retrans = 30;
    _res.retry = 1;
  }

 private:
  void serve(Milliseconds delay) const {
    std::array<unsigned char, 512> message{};
    sockaddr_in client{};
    socklen_t length = sizeof client;
    const ssize_t count = recvfrom(fd_, message.data(), message.size(), 0,
                                   reinterpret_cast<sockaddr*>(&client), &length);
    if (count < 12) {
      return;
    }
    std::this_thread::sleep_for(delay);
    message[2] |= 0x80;  // an answer
    message[3] = 0x83;   // no such name
    sendto(fd_, message.data(), static_cast<size_t>(count), 0,
           reinterpret_cast<const sockaddr*>(&client), length);
  }

  sockaddr_in address_{};
  int fd_;
  std::jthread thread_;
};

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
