// A client of a line protocol on loopback, and ports to serve one on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailback::test {

// A port of 127.0.0.1 that nobody listened on a moment ago.
uint16_t free_port();

// Whether somebody accepts connections on the port.
bool port_answers(uint16_t port);

class LineClient {
 public:
  // Connects to 127.0.0.1. Throws std::system_error.
  explicit LineClient(uint16_t port);
  ~LineClient();
  LineClient(const LineClient&) = delete;
  LineClient& operator=(const LineClient&) = delete;

  void send(std::string_view line);
  // The next line that arrives, without its end. Throws std::runtime_error if none has come after
  // `patience`, or if the server has gone.
  std::string receive(std::chrono::milliseconds patience = std::chrono::seconds(20));
  std::string ask(std::string_view line) {
    send(line);
    return receive();
  }

 private:
  int fd_;
  std::string received_;
};

}  // namespace tailback::test
