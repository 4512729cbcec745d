// A name server that takes its time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

namespace tailback::demo {

// A name server on loopback that answers one question, late, with "no such name".
class SlowNameServer {
 public:
  explicit SlowNameServer(std::chrono::milliseconds delay)
      : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
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
  void serve(std::chrono::milliseconds delay) const {
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

}  // namespace tailback::demo
