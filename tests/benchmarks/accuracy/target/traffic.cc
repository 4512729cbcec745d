#include "tests/benchmarks/accuracy/target/traffic.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tailback::accuracy {

Traffic::Traffic() : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  const bool made =
      pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) == 0 &&
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, connection_) == 0;
  if (timer_ < 0 || !made) abort();
  itimerspec often{};
  often.it_value.tv_nsec = 3'000'000;
  often.it_interval.tv_nsec = 3'000'000;
  timerfd_settime(timer_, 0, &often, nullptr);
}

Traffic::~Traffic() {
  for (const int fd : {timer_, pipe_[0], pipe_[1], connection_[0], connection_[1]}) close(fd);
}

void Traffic::serve(int fd) {
  char bytes[64];
  while (read(fd, bytes, sizeof bytes) == sizeof bytes) {
  }
}

void Traffic::stir(std::mt19937_64& random) {
  const uint64_t choice = random() % 4;
  if (choice > 1) return;
  const char byte = 'x';
  const ssize_t sent = write(choice == 0 ? pipe_[1] : connection_[1], &byte, 1);
  static_cast<void>(sent);  // a full pipe is busy enough
}

}  // namespace tailback::accuracy
