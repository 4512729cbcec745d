// Callbacks that wait for events on a descriptor of their own: to the loop outside, they block.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "demos/echo/callbacks.h"

namespace tailback::demo {
namespace {

// A connection on which nothing arrives.
class SilentConnection {
 public:
  SilentConnection() { socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_); }
  ~SilentConnection() {
    close(ends_[0]);
    close(ends_[1]);
  }
  SilentConnection(const SilentConnection&) = delete;
  SilentConnection& operator=(const SilentConnection&) = delete;

  int fd() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

void block_in_poll(Milliseconds length) {
  const SilentConnection connection;
  pollfd wanted{connection.fd(), POLLIN, 0};
  // EXPECT stall on="nested poll" cause=socket call=poll function=block_in_poll
  poll(&wanted, 1, static_cast<int>(length.count()));
}

void block_in_ppoll(Milliseconds length) {
  const SilentConnection connection;
  pollfd wanted{connection.fd(), POLLIN, 0};
  const timespec timeout = to_timespec(length);
  // EXPECT stall on="nested ppoll" cause=socket call=ppoll function=block_in_ppoll
  ppoll(&wanted, 1, &timeout, nullptr);
}

void block_in_select(Milliseconds length) {
  const SilentConnection connection;
  fd_set wanted;
  FD_ZERO(&wanted);
  FD_SET(connection.fd(), &wanted);
  timeval timeout{length.count() / 1000, length.count() % 1000 * 1000};
  // EXPECT stall on="nested select" cause=socket call=select function=block_in_select
  select(connection.fd() + 1, &wanted, nullptr, nullptr, &timeout);
}

void block_in_epoll_wait(Milliseconds length) {
  const SilentConnection connection;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, connection.fd(), &wanted);
  epoll_event arrived{};
  // EXPECT stall on="nested epoll_wait" cause=socket|ipc|wait call=epoll_wait
  // function=block_in_epoll_wait
  epoll_wait(epoll, &arrived, 1, static_cast<int>(length.count()));
  close(epoll);
}

constexpr Callback kCallbacks[] = {
    {"nested", "poll", block_in_poll},
    {"nested", "ppoll", block_in_ppoll},
    {"nested", "select", block_in_select},
    {"nested", "epoll_wait", block_in_epoll_wait},
};

}  // namespace

std::span<const Callback> nested_wait_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
