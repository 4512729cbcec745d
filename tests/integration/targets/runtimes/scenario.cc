#include "tests/integration/targets/runtimes/scenario.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace {

void must(bool done, const char* what) {
  if (done) return;
  perror(what);
  exit(1);
}

}  // namespace

Scenario::Scenario(int argc, char** argv)
    : way_(argc > 1 ? argv[1] : "healthy"),
      end_(std::chrono::steady_clock::now() + std::chrono::milliseconds(2000)) {}

bool Scenario::stalls_now() {
  ++ticks_;
  return has_stalls() && ticks_ % 30 == 0 && ticks_ <= 90;
}

Echo::Echo() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  must(bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  must(listen(listener, 1) == 0, "listen");
  must(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
  client_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(connect(client_, reinterpret_cast<sockaddr*>(&address), length) == 0, "connect");
  server_ = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  must(server_ >= 0, "accept");
  must(fcntl(client_, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  close(listener);
}

void Echo::ask() {
  const char question = '?';
  must(write(client_, &question, 1) == 1, "write");
}

void Echo::on_server_readable() const {
  char bytes[64];
  const ssize_t count = read(server_, bytes, sizeof bytes);
  if (count > 0) must(write(server_, bytes, static_cast<size_t>(count)) == count, "write");
}

void Echo::on_client_readable() {
  char bytes[64];
  const ssize_t count = read(client_, bytes, sizeof bytes);
  if (count > 0) echoes_ += static_cast<unsigned>(count);
}

void Echo::say() const {
  printf("echoes %u\n", echoes_);
}

Blocked::Blocked() : begin_(std::chrono::steady_clock::now()) {}

Blocked::~Blocked() {
  const std::chrono::duration<double, std::milli> length =
      std::chrono::steady_clock::now() - begin_;
  printf("blocked %d %.3f\n", getpid(), length.count());
}

void work() {
  timespec length{};
  length.tv_nsec = std::chrono::nanoseconds(Scenario::kWork).count();
  nanosleep(&length, nullptr);
}
