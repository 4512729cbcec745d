// Loops whose waits are system calls in the program's own code, as other languages' runtimes make
// them: nobody can intercept these.
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <thread>

#include "tests/integration/targets/inline_system_call.h"
#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

// A timer in an epoll instance, waited for inline.
class InlineEpoll {
 public:
  InlineEpoll() {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) != 0) abort();
  }
  ~InlineEpoll() {
    close(epoll_);
    close(timer_);
  }
  bool wait() {
    epoll_event events[4];
    long ready = 0;
    INLINE_SYSTEM_CALL(ready, SYS_epoll_wait, epoll_, events, 4, -1);
    if (ready > 0) drain(timer_);
    return ready > 0;
  }

 private:
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int timer_ = periodic_timer(TFD_NONBLOCK);
};

void inline_epoll(int stalls) {
  InlineEpoll epoll;
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    if (epoll.wait()) iterations.handle_event();
  }
}

void inline_poll(int stalls) {
  const int timer = periodic_timer(TFD_NONBLOCK);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    pollfd entry{timer, POLLIN, 0};
    long ready = 0;
    INLINE_SYSTEM_CALL(ready, SYS_poll, &entry, 1, -1, 0);
    if (ready <= 0) continue;
    drain(timer);
    iterations.handle_event();
  }
}

// Computes for 1 ms after each wait, so that it is hardly ever seen in one.
void inline_busy_epoll(int) {
  InlineEpoll epoll;
  Iterations iterations(0);
  while (iterations.go_on()) {
    epoll.wait();
    for (const double begin = now_ms(); now_ms() - begin < 4;) {
    }
    iterations.handle_event();
  }
}

// A loop that ends, in a program that then does other things for long.
void inline_epoll_that_ends(int) {
  inline_epoll(0);
  sleep_ms(300);
  inline_epoll(0);
  sleep_ms(300);
}

// A worker that polls for its jobs, every third of which is long.
void inline_polling_worker(int) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  std::thread worker([&] {
    for (int number = 0;; ++number) {
      pollfd entry{ends[0], POLLIN, 0};
      long ready = 0;
      INLINE_SYSTEM_CALL(ready, SYS_poll, &entry, 1, -1, 0);
      char job = 0;
      if (ready <= 0 || read(ends[0], &job, 1) != 1) return;
      if (number % 3 == 2) sleep_ms(150);
    }
  });
  for (int i = 0; i < 60; ++i) {
    if (write(ends[1], "x", 1) != 1) abort();
    sleep_ms(60);
  }
  close(ends[1]);
  worker.join();
}

}  // namespace

std::vector<Kind> unhooked_loops() {
  return {{"epoll inline", inline_epoll},
          {"poll inline", inline_poll},
          {"epoll inline busy", inline_busy_epoll},
          {"epoll inline that ends", inline_epoll_that_ends},
          {"polling worker inline", inline_polling_worker}};
}

}  // namespace loops
