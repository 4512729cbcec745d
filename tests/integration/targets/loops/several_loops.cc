// Several loops in one program: side by side, one after the other, one within the other; and what a
// loop has around it.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <thread>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

class Loop {
 public:
  Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), timer_(periodic_timer(TFD_NONBLOCK)) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) != 0) abort();
  }
  ~Loop() {
    close(epoll_);
    close(timer_);
  }

  template <typename Callback>
  void run(Iterations iterations, Callback callback) {
    while (iterations.go_on()) {
      epoll_event event{};
      if (epoll_wait(epoll_, &event, 1, -1) <= 0) continue;
      drain(timer_);
      callback();
      iterations.handle_event();
    }
  }
  void run(Iterations iterations) {
    run(iterations, [] {});
  }

 private:
  int epoll_;
  int timer_;
};

void one_per_thread(int stalls) {
  std::thread threads[3];
  for (int i = 0; i < 3; ++i) {
    threads[i] = std::thread([stalls, i] { Loop().run(Iterations(i == 1 ? stalls : 0)); });
  }
  for (std::thread& thread : threads) thread.join();
}

// A program that does something else for long, then runs a loop, then ends slowly.
void late_and_with_a_slow_end(int stalls) {
  sleep_ms(300);
  Loop().run(Iterations(stalls));
  sleep_ms(300);
}

void ended_and_begun(int stalls) {
  for (int i = 0; i < 3; ++i) {
    Loop().run(Iterations(i == 1 ? stalls : 0));
    sleep_ms(200);
  }
}

[[gnu::noinline]] void run_a_loop_inside() {
  const double begin = now_ms();
  {
    Loop inner;
    inner.run(Iterations(0, 50));
  }
  printf("blocked %d %.3f\n", getpid(), now_ms() - begin);
  fflush(stdout);
}

// A callback that runs a loop of its own to its end: the outer one stands still meanwhile.
void within_a_callback(int stalls) {
  int done = 0;
  Loop().run(Iterations(0), [&] {
    if (++done % 30 == 0 && stalls-- > 0) run_a_loop_inside();
  });
}

[[gnu::noinline]] void poll_one_descriptor(int fd) {
  const double begin = now_ms();
  pollfd entry{fd, POLLIN, 0};
  // EXPECT stall on="one-descriptor poll" cause=socket call=poll function=poll_one_descriptor
  poll(&entry, 1, 150);
  printf("blocked %d %.3f\n", getpid(), now_ms() - begin);
  fflush(stdout);
}

// A library that asks in every callback, by poll, whether its socket has something; now and then it
// waits for it.
void one_descriptor_poll(int stalls) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) abort();
  int done = 0;
  Loop().run(Iterations(0), [&] {
    pollfd entry{sockets[0], POLLIN, 0};
    for (int i = 0; i < 3; ++i) poll(&entry, 1, 0);
    if (++done > 60 && done % 20 == 0 && stalls-- > 0) poll_one_descriptor(sockets[0]);
  });
}

// The same in the loop's own function, on a loop with long pauses.
void poll_beside_epoll(int) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) abort();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < 60; ++i) {
    epoll_event event{};
    epoll_wait(epoll, &event, 1, i % 20 == 19 ? 150 : 2);
    pollfd entry{sockets[0], POLLIN, 0};
    poll(&entry, 1, 0);
  }
}

}  // namespace

std::vector<Kind> several_loops() {
  return {
      {"loop per thread", one_per_thread},          {"late loop", late_and_with_a_slow_end},
      {"loops ended and begun", ended_and_begun},   {"loop within a callback", within_a_callback},
      {"one-descriptor poll", one_descriptor_poll}, {"poll beside epoll", poll_beside_epoll}};
}

}  // namespace loops
