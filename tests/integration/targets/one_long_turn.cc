#include "tests/integration/targets/one_long_turn.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

namespace {

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void turn(int epoll, int timer, const std::function<void()>& callback) {
  itimerspec soon{};
  soon.it_value.tv_nsec = 10'000'000;
  timerfd_settime(timer, 0, &soon, nullptr);
  epoll_event event{};
  epoll_wait(epoll, &event, 1, -1);
  callback();
}

}  // namespace

void run_loop(const std::function<void()>& prepare, const std::function<void()>& block) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  for (int i = 0; i < 10; ++i) turn(epoll, timer, [] {});
  double length = 0;
  turn(epoll, timer, [&] {
    prepare();
    const double begin = now_ms();
    block();
    length = now_ms() - begin;
  });
  for (int i = 0; i < 10; ++i) turn(epoll, timer, [] {});
  printf("blocked %d %.3f\n", getpid(), length);
}
