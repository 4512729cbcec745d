// I/O that takes its time: a read that blocks until a timer has run out, as one of a slow disk or a
// slow peer does.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <chrono>
#include <system_error>

namespace tailback::demo {

inline void blocking_read(std::chrono::milliseconds duration) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  itimerspec when{};
  when.it_value.tv_sec = duration.count() / 1000;
  when.it_value.tv_nsec = duration.count() % 1000 * 1'000'000;
  uint64_t expirations = 0;
  const bool did_read = timer >= 0 && timerfd_settime(timer, 0, &when, nullptr) == 0 &&
                        read(timer, &expirations, sizeof expirations) == sizeof expirations;
  const int error = errno;
  close(timer);
  if (!did_read) {
    throw std::system_error(error, std::generic_category(), "can't read a timer");
  }
}

}  // namespace tailback::demo
