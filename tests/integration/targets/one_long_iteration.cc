#include "tests/integration/targets/one_long_iteration.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <string>

namespace {

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

class Loop {
 public:
  Loop() {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  }

  void iteration(long milliseconds, const std::function<void()>& callback) const {
    itimerspec soon{};
    soon.it_value.tv_nsec = milliseconds * 1'000'000;
    timerfd_settime(timer_, 0, &soon, nullptr);
    epoll_event event{};
    epoll_wait(epoll_, &event, 1, -1);
    callback();
  }

 private:
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
};

}  // namespace

void run_loop(const std::function<void()>& prepare, const std::function<void()>& block) {
  const Loop loop;
  for (int i = 0; i < 10; ++i) loop.iteration(10, [] {});
  double length = 0;
  loop.iteration(10, [&] {
    prepare();
    const double begin = now_ms();
    block();
    length = now_ms() - begin;
  });
  for (int i = 0; i < 10; ++i) loop.iteration(10, [] {});
  printf("blocked %d %.3f\n", getpid(), length);
}

bool run_named(int argc, char** argv, std::span<const LongIteration> iterations) {
  const std::string name = argc > 1 ? argv[1] : "";
  for (const LongIteration& iteration : iterations) {
    if (iteration.name != name) continue;
    run_loop(iteration.prepare, iteration.block);
    return true;
  }
  fprintf(stderr, "%s: there is no callback \"%s\"\n", program_invocation_short_name, name.c_str());
  return false;
}

void run_short_iterations(int count, const std::function<void()>& callback) {
  const Loop loop;
  for (int i = 0; i < count; ++i) loop.iteration(5, callback);
}
