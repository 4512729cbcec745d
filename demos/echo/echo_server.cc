#include "demos/echo/echo_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <system_error>
#include <utility>

namespace tailback::demo {
namespace {

int check(int result, const char* what) {
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return result;
}

int listen_on_loopback() {
  const int fd =
      check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "can't make a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "can't bind to loopback");
  check(listen(fd, SOMAXCONN), "can't listen");
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  check(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), "can't ask for the port");
  return ntohs(address.sin_port);
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "can't add to the epoll set");
}

std::string in_milliseconds(Clock::duration duration) {
  std::array<char, 32> text{};
  const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
  std::snprintf(text.data(), text.size(), "%.3f", milliseconds);
  return text.data();
}

}  // namespace

EchoServer::EchoServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = listen_on_loopback();
  port_ = port_of(listener_);
  epoll_ = check(epoll_create1(EPOLL_CLOEXEC), "can't make an epoll set");
  watch(epoll_, listener_);
}

EchoServer::~EchoServer() {
  for (const auto& [fd, text] : received_) {
    close(fd);
  }
  close(listener_);
  close(epoll_);
}

void EchoServer::run() {
  std::array<epoll_event, 16> events{};
  while (!quit_) {
    const int ready = epoll_wait(epoll_, events.data(), events.size(), -1);
    const Clock::time_point iteration_begin = Clock::now();
    for (const epoll_event& event : std::span(events).first(std::max(ready, 0))) {
      if (event.data.fd == listener_) {
        add_client();
      } else {
        serve_client(event.data.fd);
      }
    }
    longest_iteration_ = std::max(longest_iteration_, Clock::now() - iteration_begin);
  }
}

void EchoServer::add_client() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    received_[fd];
    watch(epoll_, fd);
  }
}

void EchoServer::serve_client(int fd) {
  std::array<char, 4096> buffer;
  const ssize_t count = recv(fd, buffer.data(), buffer.size(), 0);
  if (count <= 0) {
    if (count == 0 || errno != EAGAIN) {
      drop_client(fd);
    }
    return;
  }
  std::string& text = received_[fd];
  text.append(buffer.data(), static_cast<size_t>(count));
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
    const std::string reply = answer(std::string_view(text).substr(0, end)) + "\n";
    text.erase(0, end + 1);
    if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) {
      drop_client(fd);
      return;
    }
  }
}

void EchoServer::drop_client(int fd) {
  received_.erase(fd);
  close(fd);
}

std::string EchoServer::answer(std::string_view line) {
  if (line == "quit") {
    quit_ = true;
    return "bye";
  }
  if (line == "longest") {
    return in_milliseconds(std::exchange(longest_iteration_, {}));
  }
  return handler_(line);
}

}  // namespace tailback::demo
