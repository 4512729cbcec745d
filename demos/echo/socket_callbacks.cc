// Callbacks that wait for a peer.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

// Two connected sockets: ours, and the one of a peer that takes its time.
class Connection {
 public:
  Connection() { socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_); }
  ~Connection() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int ours() const { return ends_[0]; }
  void peer_sends() const { send(ends_[1], "x", 1, MSG_NOSIGNAL); }
  void peer_reads_all() const {
    std::vector<char> buffer(1 << 20);
    while (recv(ends_[1], buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
    }
  }

 private:
  int ends_[2] = {-1, -1};
};

// A TCP server on loopback.
class Listener {
 public:
  explicit Listener(int backlog) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_);
    listen(fd_, backlog);
    socklen_t length = sizeof address_;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &length);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  void accept_one() const { close(accept(fd_, nullptr, nullptr)); }

 private:
  sockaddr_in address_{};
  int fd_;
};

int make_client() {
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

void block_in_recv(Milliseconds length) {
  const Connection connection;
  const Later answer(length, [&connection] { connection.peer_sends(); });
  char byte = 0;
  // EXPECT stall on="socket recv" cause=socket call=recv function=block_in_recv
  recv(connection.ours(), &byte, 1, 0);
}

// What `read` waits for is a matter of what the descriptor is.
void block_in_socket_read(Milliseconds length) {
  const Connection connection;
  const Later answer(length, [&connection] { connection.peer_sends(); });
  char byte = 0;
  // EXPECT stall on="socket read" cause=socket call=read function=block_in_socket_read
  const ssize_t count = read(connection.ours(), &byte, 1);
  static_cast<void>(count);
}

void block_in_recvmsg(Milliseconds length) {
  const Connection connection;
  const Later answer(length, [&connection] { connection.peer_sends(); });
  char byte = 0;
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  // EXPECT stall on="socket recvmsg" cause=socket call=recvmsg function=block_in_recvmsg
  recvmsg(connection.ours(), &message, 0);
}

// The first send fills the peer's buffer, the second waits for room in it.
void block_in_send(Milliseconds length) {
  const Connection connection;
  const std::vector<char> filling(1 << 16);
  while (send(connection.ours(), filling.data(), filling.size(), MSG_DONTWAIT) > 0) {
  }
  const Later answer(length, [&connection] { connection.peer_reads_all(); });
  // EXPECT stall on="socket send" cause=socket call=send function=block_in_send
  send(connection.ours(), filling.data(), filling.size(), MSG_NOSIGNAL);
}

void block_in_accept(Milliseconds length) {
  const Listener listener(1);
  const int client = make_client();
  const Later arrival(length, [&] { connect(client, listener.address(), sizeof(sockaddr_in)); });
  // EXPECT stall on="socket accept" cause=socket call=accept object="127.0.0.1:"
  // function=block_in_accept
  const int peer = accept(listener.fd(), nullptr, nullptr);
  close(peer);
  close(client);
}

// A backlog of 0 holds one client. The next one's SYN is dropped, and sent again after a second,
// which is when it finds room.
void block_in_connect(Milliseconds length) {
  const Listener listener(0);
  const int first = make_client();
  connect(first, listener.address(), sizeof(sockaddr_in));
  const Later room(length, [&listener] { listener.accept_one(); });
  const int second = make_client();
  // EXPECT stall on="socket connect" cause=socket call=connect object="127.0.0.1:"
  // function=block_in_connect
  connect(second, listener.address(), sizeof(sockaddr_in));
  close(second);
  close(first);
}

constexpr Callback kCallbacks[] = {
    {"socket", "recv", block_in_recv},       {"socket", "read", block_in_socket_read},
    {"socket", "recvmsg", block_in_recvmsg}, {"socket", "send", block_in_send},
    {"socket", "accept", block_in_accept},   {"socket", "connect", block_in_connect},
};

}  // namespace

std::span<const Callback> socket_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
