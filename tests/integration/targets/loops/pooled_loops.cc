// A loop that several threads serve in turn.
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

// One thread, the leader, waits for the next event; the others wait until it has one.
class Followers {
 public:
  explicit Followers(int stalls) : stalls_(stalls) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) != 0) abort();
  }

  void follow() {
    while (become_leader()) {
      epoll_event event{};
      if (epoll_wait(epoll_, &event, 1, -1) > 0) drain(timer_);
      if (hand_lead_on()) hold_the_loop_up();
    }
  }

 private:
  // False if the program is over.
  [[gnu::noinline]] bool become_leader() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !has_leader_ || is_over(); });
    has_leader_ = true;
    return !is_over();
  }
  // Whether the job at hand is a long one.
  bool hand_lead_on() {
    const std::lock_guard lock(mutex_);
    has_leader_ = false;
    ++jobs_;
    // The next event comes late now and then.
    if (jobs_ % 40 == 0) {
      itimerspec period{};
      period.it_value.tv_nsec = 200'000'000;
      period.it_interval.tv_nsec = kPeriodMs * 1'000'000;
      timerfd_settime(timer_, 0, &period, nullptr);
    }
    if (is_over()) {
      changed_.notify_all();
      return false;
    }
    changed_.notify_one();
    // Far enough apart that the other threads have had their iterations.
    const bool is_long = jobs_ >= 2 * warm_up && jobs_ % 30 == 0 && stalls_ > 0;
    if (is_long) --stalls_;
    return is_long;
  }
  bool is_over() const { return jobs_ >= 4 * warm_up; }

  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  const int timer_ = periodic_timer(TFD_NONBLOCK);
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_leader_ = false;
  int jobs_ = 0;
  int stalls_;
};

void leader_and_followers(int stalls) {
  Followers followers(stalls);
  std::thread threads[3];
  for (std::thread& thread : threads) thread = std::thread([&] { followers.follow(); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

std::vector<Kind> pooled_loops() {
  return {{"leader and followers", leader_and_followers}};
}

}  // namespace loops
