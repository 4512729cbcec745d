// Loops on epoll: level, edge and oneshot, several instances, one within another, by number.
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

void add(int epoll, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) abort();
}

// A loop on one instance with one timer; `wait` is how it waits.
template <typename Wait>
void run(int stalls, uint32_t mode, Wait wait) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = periodic_timer(TFD_NONBLOCK);
  add(epoll, timer, EPOLLIN | mode);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    epoll_event events[4];
    if (wait(epoll, events) <= 0) continue;
    drain(timer);
    iterations.handle_event();
    if (mode & EPOLLONESHOT) {
      events[0].events = EPOLLIN | mode;
      epoll_ctl(epoll, EPOLL_CTL_MOD, timer, &events[0]);
    }
  }
  close(epoll);
  close(timer);
}

int wait_for_ever(int epoll, epoll_event* events) {
  return epoll_wait(epoll, events, 4, -1);
}

void level(int stalls) {
  run(stalls, 0, wait_for_ever);
}
void edge(int stalls) {
  run(stalls, EPOLLET, wait_for_ever);
}
void oneshot(int stalls) {
  run(stalls, EPOLLONESHOT, wait_for_ever);
}
void pwait(int stalls) {
  run(stalls, 0,
      [](int epoll, epoll_event* events) { return epoll_pwait(epoll, events, 4, -1, nullptr); });
}
void pwait2(int stalls) {
  run(stalls, 0, [](int epoll, epoll_event* events) {
    const timespec patience{1, 0};
    return epoll_pwait2(epoll, events, 4, &patience, nullptr);
  });
}
// Burns a CPU for the time of its run.
void busy(int stalls) {
  run(stalls, 0, [](int epoll, epoll_event* events) { return epoll_wait(epoll, events, 4, 0); });
}
void wait_by_number(int stalls) {
  run(stalls, 0, [](int epoll, epoll_event* events) {
    return static_cast<int>(syscall(SYS_epoll_wait, epoll, events, 4, -1));
  });
}
void pwait_by_number(int stalls) {
  run(stalls, 0, [](int epoll, epoll_event* events) {
    return static_cast<int>(syscall(SYS_epoll_pwait, epoll, events, 4, -1, nullptr, 8));
  });
}
void pwait2_by_number(int stalls) {
  run(stalls, 0, [](int epoll, epoll_event* events) {
    const timespec patience{1, 0};
    return static_cast<int>(syscall(SYS_epoll_pwait2, epoll, events, 4, &patience, nullptr, 8));
  });
}

// Two instances that one thread looks after in turn.
void several(int stalls) {
  const int epolls[] = {epoll_create1(EPOLL_CLOEXEC), epoll_create1(EPOLL_CLOEXEC)};
  const int timers[] = {periodic_timer(TFD_NONBLOCK), periodic_timer(TFD_NONBLOCK)};
  for (int i = 0; i < 2; ++i) add(epolls[i], timers[i], EPOLLIN);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    for (int i = 0; i < 2; ++i) {
      epoll_event events[4];
      if (epoll_wait(epolls[i], events, 4, 2) <= 0) continue;
      drain(timers[i]);
      iterations.handle_event();
    }
  }
}

// An instance that is watched by another, as libraries have theirs.
void nested(int stalls) {
  const int outer = epoll_create1(EPOLL_CLOEXEC);
  const int inner = epoll_create1(EPOLL_CLOEXEC);
  const int timer = periodic_timer(TFD_NONBLOCK);
  add(inner, timer, EPOLLIN);
  add(outer, inner, EPOLLIN);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    epoll_event events[4];
    if (epoll_wait(outer, events, 4, -1) <= 0) continue;
    if (epoll_wait(inner, events, 4, 0) <= 0) continue;
    drain(timer);
    iterations.handle_event();
  }
}

}  // namespace

std::vector<Kind> epoll_loops() {
  return {{"epoll level", level},
          {"epoll edge", edge},
          {"epoll oneshot", oneshot},
          {"epoll_pwait", pwait},
          {"epoll_pwait2", pwait2},
          {"epoll busy", busy},
          {"epoll_wait by number", wait_by_number},
          {"epoll_pwait by number", pwait_by_number},
          {"epoll_pwait2 by number", pwait2_by_number},
          {"several epolls", several},
          {"nested epolls", nested}};
}

}  // namespace loops
