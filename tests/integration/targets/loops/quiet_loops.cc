// Loops that wait for a signal, or in read() on what stands for events.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

// Blocks a signal and has it come every kPeriodMs.
sigset_t periodic_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN;
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) abort();
  itimerspec period{};
  period.it_value.tv_nsec = period.it_interval.tv_nsec = kPeriodMs * 1'000'000;
  timer_settime(timer, 0, &period, nullptr);
  return set;
}

void with_sigtimedwait(int stalls) {
  const sigset_t set = periodic_signal();
  const timespec patience{1, 0};
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    siginfo_t info;
    if (sigtimedwait(&set, &info, &patience) > 0) iterations.handle_event();
  }
}
void with_sigwaitinfo(int stalls) {
  const sigset_t set = periodic_signal();
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    siginfo_t info;
    if (sigwaitinfo(&set, &info) > 0) iterations.handle_event();
  }
}
void with_sigwait(int stalls) {
  const sigset_t set = periodic_signal();
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    int number = 0;
    if (sigwait(&set, &number) == 0) iterations.handle_event();
  }
}

// Something that another thread does every kPeriodMs.
class Periodically {
 public:
  explicit Periodically(std::function<void()> action)
      : thread_([this, action = std::move(action)] {
          while (!over_) {
            sleep_ms(kPeriodMs);
            action();
          }
        }) {}
  ~Periodically() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

void with_eventfd(int stalls) {
  const int counter = eventfd(0, EFD_CLOEXEC);
  const Periodically wake([counter] { eventfd_write(counter, 1); });
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    uint64_t count = 0;
    if (read(counter, &count, sizeof count) > 0) iterations.handle_event();
  }
}
void with_eventfd_read(int stalls) {
  const int counter = eventfd(0, EFD_CLOEXEC);
  const Periodically wake([counter] { eventfd_write(counter, 1); });
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    eventfd_t count = 0;
    if (eventfd_read(counter, &count) == 0) iterations.handle_event();
  }
}
void with_timerfd(int stalls) {
  const int timer = periodic_timer(0);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    uint64_t count = 0;
    if (read(timer, &count, sizeof count) > 0) iterations.handle_event();
  }
}
void with_signalfd(int stalls) {
  const sigset_t set = periodic_signal();
  const int signals = signalfd(-1, &set, SFD_CLOEXEC);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    signalfd_siginfo info;
    if (read(signals, &info, sizeof info) > 0) iterations.handle_event();
  }
}
void with_inotify(int stalls) {
  const int changes = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(changes, ".", IN_ATTRIB);
  const Periodically touch([] { utimensat(AT_FDCWD, ".", nullptr, 0); });
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    char buffer[4096];
    if (read(changes, buffer, sizeof buffer) > 0) iterations.handle_event();
  }
}

}  // namespace

std::vector<Kind> quiet_loops() {
  return {{"sigtimedwait", with_sigtimedwait}, {"sigwaitinfo", with_sigwaitinfo},
          {"sigwait", with_sigwait},           {"eventfd", with_eventfd},
          {"eventfd_read", with_eventfd_read}, {"timerfd", with_timerfd},
          {"signalfd", with_signalfd},         {"inotify", with_inotify}};
}

}  // namespace loops
