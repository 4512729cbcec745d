#include "tests/integration/harness/line_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <system_error>

namespace tailback::test {
namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

}  // namespace

uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  const int error = errno;
  close(fd);
  if (!bound) {
    throw std::system_error(error, std::generic_category(), "can't find a free port");
  }
  return ntohs(address.sin_port);
}

bool port_answers(uint16_t port) {
  const int fd = connect_to(port);
  if (fd >= 0) {
    close(fd);
  }
  return fd >= 0;
}

LineClient::LineClient(uint16_t port) : fd_(connect_to(port)) {
  if (fd_ < 0) {
    throw std::system_error(errno, std::generic_category(),
                            "can't connect to port " + std::to_string(port));
  }
}

LineClient::~LineClient() {
  close(fd_);
}

void LineClient::send(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    throw std::system_error(errno, std::generic_category(), "can't send \"" + text + "\"");
  }
}

std::string LineClient::receive(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  size_t newline = received_.find('\n');
  while (newline == std::string::npos) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd arrived{fd_, POLLIN, 0};
    if (left.count() <= 0 || poll(&arrived, 1, static_cast<int>(left.count())) != 1) {
      throw std::runtime_error("the server did not answer in time");
    }
    std::array<char, 4096> buffer;
    const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
    if (count <= 0) {
      throw std::runtime_error("the server closed the connection");
    }
    received_.append(buffer.data(), static_cast<size_t>(count));
    newline = received_.find('\n');
  }
  std::string line = received_.substr(0, newline);
  received_.erase(0, newline + 1);
  return line;
}

}  // namespace tailback::test
