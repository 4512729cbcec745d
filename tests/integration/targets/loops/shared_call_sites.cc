// Loops that make all their waits in one function, as libraries do; and loops that poll their epoll
// instance.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

using WaitFor = bool (*)(int fd, int timeout_ms);

// The one place at which a program polls.
[[gnu::noinline]] bool poll_for(int fd, int timeout_ms) {
  pollfd entry{fd, POLLIN, 0};
  // EXPECT stall on="poll at one call site" cause=socket call=poll function=poll_for
  return poll(&entry, 1, timeout_ms) > 0;
}

// The one place at which it selects.
[[gnu::noinline]] bool select_for(int fd, int timeout_ms) {
  fd_set reads;
  FD_ZERO(&reads);
  FD_SET(fd, &reads);
  timeval timeout{timeout_ms / 1000, timeout_ms % 1000 * 1000};
  // EXPECT stall on="select at one call site" cause=socket call=select function=select_for
  return select(fd + 1, &reads, nullptr, nullptr, &timeout) > 0;
}

[[gnu::noinline]] void wait_for_answer(int fd, WaitFor wait_for) {
  const double begin = now_ms();
  wait_for(fd, 150);
  printf("blocked %d %.3f\n", getpid(), now_ms() - begin);
  fflush(stdout);
}

template <typename Callback>
[[gnu::noinline]] void run_loop(int timer, WaitFor wait_for, Iterations iterations,
                                Callback callback) {
  while (iterations.go_on()) {
    if (!wait_for(timer, 1000)) continue;
    drain(timer);
    callback();
    iterations.handle_event();
  }
}

// A callback waits for an answer, which does not come.
void with_wait_in_callback(WaitFor wait_for, int stalls) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) abort();
  const int timer = periodic_timer(TFD_NONBLOCK);
  int done = 0;
  run_loop(timer, wait_for, Iterations(0), [&] {
    if (++done > 60 && done % 20 == 0 && stalls-- > 0) wait_for_answer(sockets[0], wait_for);
  });
}
void poll_at_one_call_site(int stalls) {
  with_wait_in_callback(poll_for, stalls);
}
void select_at_one_call_site(int stalls) {
  with_wait_in_callback(select_for, stalls);
}

// A callback runs the same loop until something has happened, as a modal dialogue does.
void nested_run(WaitFor wait_for) {
  const int timer = periodic_timer(TFD_NONBLOCK);
  int done = 0;
  run_loop(timer, wait_for, Iterations(0), [&] {
    if (++done % 40 == 0) run_loop(timer, wait_for, Iterations(0, 60), [] {});
  });
}
void nested_run_of_poll(int) {
  nested_run(poll_for);
}
void nested_run_of_select(int) {
  nested_run(select_for);
}

// The loop waits by poll of its epoll instance, and then asks what is ready.
template <typename WaitForEpoll>
void polled_epoll(int stalls, WaitForEpoll wait_for_epoll) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = periodic_timer(TFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) != 0) abort();
  Iterations iterations(stalls);
  for (int i = 0; iterations.go_on(); ++i) {
    // The next event comes late now and then.
    if (i % 50 == 49) {
      itimerspec period{};
      period.it_value.tv_nsec = 200'000'000;
      period.it_interval.tv_nsec = kPeriodMs * 1'000'000;
      timerfd_settime(timer, 0, &period, nullptr);
    }
    if (!wait_for_epoll(epoll) || epoll_wait(epoll, &event, 1, 0) <= 0) continue;
    drain(timer);
    iterations.handle_event();
  }
}
void poll_of_the_epoll(int stalls) {
  polled_epoll(stalls, [](int epoll) { return poll_for(epoll, 1000); });
}
void select_of_the_epoll(int stalls) {
  polled_epoll(stalls, [](int epoll) { return select_for(epoll, 1000); });
}

}  // namespace

std::vector<Kind> shared_call_sites() {
  return {{"poll at one call site", poll_at_one_call_site},
          {"select at one call site", select_at_one_call_site},
          {"nested run of a poll loop", nested_run_of_poll},
          {"nested run of a select loop", nested_run_of_select},
          {"poll of the epoll", poll_of_the_epoll},
          {"select of the epoll", select_of_the_epoll}};
}

}  // namespace loops
