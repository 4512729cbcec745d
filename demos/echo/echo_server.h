// An echo server on loopback: one epoll loop, one line in, one line out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tailback::demo {

using Clock = std::chrono::steady_clock;

class EchoServer {
 public:
  // Gives the answer to a line (both without the newline).
  using Handler = std::function<std::string(std::string_view line)>;

  // Listens on a free port of 127.0.0.1. Throws std::system_error.
  explicit EchoServer(Handler handler);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  uint16_t port() const { return port_; }

  // Serves until a client sends "quit".
  void run();

 private:
  void add_client();
  void serve_client(int fd);
  void drop_client(int fd);
  std::string answer(std::string_view line);

  Handler handler_;
  int listener_ = -1;
  int epoll_ = -1;
  uint16_t port_ = 0;
  bool quit_ = false;
  Clock::duration longest_iteration_{};  // since it was last asked for
  std::map<int, std::string> received_;  // of each client, up to the next newline
};

}  // namespace tailback::demo
