#include "demos/coroutines/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <system_error>

namespace tailback::demo {
namespace {

// What an event points to: whom to resume, and the timer to close.
struct Armed {
  int timer;
  std::coroutine_handle<> waiter;
};

int check(int result, const char* what) {
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return result;
}

}  // namespace

Loop::Loop() : epoll_(check(epoll_create1(EPOLL_CLOEXEC), "can't make an epoll set")) {}

Loop::~Loop() {
  close(epoll_);
}

void Loop::arm(std::chrono::milliseconds delay, std::coroutine_handle<> waiter) {
  const int timer = check(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "can't make a timer");
  itimerspec when{};
  when.it_value.tv_sec = delay.count() / 1000;
  when.it_value.tv_nsec = delay.count() % 1000 * 1'000'000;
  check(timerfd_settime(timer, 0, &when, nullptr), "can't set the timer");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = new Armed{timer, waiter};
  check(epoll_ctl(epoll_, EPOLL_CTL_ADD, timer, &event), "can't add to the epoll set");
  ++armed_;
}

void Loop::run() {
  while (armed_ > 0) {
    std::array<epoll_event, 16> events{};
    const int ready = epoll_wait(epoll_, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      const auto* armed = static_cast<Armed*>(events[static_cast<size_t>(i)].data.ptr);
      const std::coroutine_handle<> waiter = armed->waiter;
      // A child that was forked meanwhile has the timer open: closing it here takes it out of no
      // set.
      epoll_ctl(epoll_, EPOLL_CTL_DEL, armed->timer, nullptr);
      close(armed->timer);
      delete armed;
      --armed_;
      waiter.resume();
    }
  }
}

}  // namespace tailback::demo
