// Loops that wait for no descriptor: on a condition, a semaphore, a futex, or by sleeping.
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

// Events that another thread makes, every kPeriodMs; `post` wakes the loop.
template <typename Post>
class Events {
 public:
  explicit Events(Post post)
      : thread_([this, post] {
          while (!stop_) {
            sleep_ms(kPeriodMs);
            post();
          }
        }) {}
  ~Events() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

struct Condition {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  int events = 0;

  void post() {
    pthread_mutex_lock(&mutex);
    ++events;
    pthread_mutex_unlock(&mutex);
    pthread_cond_signal(&changed);
  }
};

template <typename Wait>
void with_condition(int stalls, Wait wait) {
  Condition condition;
  const Events events([&] { condition.post(); });
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    pthread_mutex_lock(&condition.mutex);
    while (condition.events == 0) wait(condition);
    condition.events = 0;
    pthread_mutex_unlock(&condition.mutex);
    iterations.handle_event();
  }
}

void untimed(int stalls) {
  with_condition(stalls, [](Condition& one) { pthread_cond_wait(&one.changed, &one.mutex); });
}

void timed(int stalls) {
  with_condition(stalls, [](Condition& one) {
    timespec end{};
    clock_gettime(CLOCK_REALTIME, &end);
    ++end.tv_sec;
    pthread_cond_timedwait(&one.changed, &one.mutex, &end);
  });
}

void with_semaphore(int stalls) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  const Events events([&] { sem_post(&semaphore); });
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    if (sem_wait(&semaphore) == 0) iterations.handle_event();
    while (sem_trywait(&semaphore) == 0) continue;
  }
}

void with_futex(int stalls) {
  std::atomic<int> word = 0;
  const Events events([&] {
    word = 1;
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  });
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    word = 0;
    iterations.handle_event();
  }
}

// A loop of timers.
void with_sleeps(int stalls) {
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    usleep(kPeriodMs * 1000);
    iterations.handle_event();
  }
}

void with_select_of_nothing(int stalls) {
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    timeval patience{0, kPeriodMs * 1000};
    select(0, nullptr, nullptr, nullptr, &patience);
    iterations.handle_event();
  }
}

}  // namespace

std::vector<Kind> named_loops() {
  return {{"condition", untimed},        {"timed condition", timed},
          {"semaphore", with_semaphore}, {"futex", with_futex},
          {"sleeps", with_sleeps},       {"select of nothing", with_select_of_nothing}};
}

}  // namespace loops
