// Callbacks that wait for a lock.

#include <pthread.h>
#include <semaphore.h>

#include <latch>
#include <mutex>
#include <thread>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

pthread_mutex_t sessions_mutex = PTHREAD_MUTEX_INITIALIZER;
std::mutex routes_mutex;

// Another thread that takes a lock at once, and keeps it for a while.
template <typename Lock, typename Unlock>
class Holder {
 public:
  Holder(Milliseconds length, Lock lock, Unlock unlock)
      : thread_([this, length, lock, unlock] {
          lock();
          taken_.count_down();
          std::this_thread::sleep_for(length);
          unlock();
        }) {
    taken_.wait();
  }

 private:
  std::latch taken_{1};
  std::jthread thread_;
};

void block_in_mutex_lock(Milliseconds length) {
  const Holder holder(
      length, [] { pthread_mutex_lock(&sessions_mutex); },
      [] { pthread_mutex_unlock(&sessions_mutex); });
  // EXPECT stall on="lock mutex" cause=lock call=pthread_mutex_lock function=block_in_mutex_lock
  pthread_mutex_lock(&sessions_mutex);
  pthread_mutex_unlock(&sessions_mutex);
}

// The deadline passes before the lock is free.
void block_in_mutex_timedlock(Milliseconds length) {
  const Holder holder(
      length + Milliseconds(20), [] { pthread_mutex_lock(&sessions_mutex); },
      [] { pthread_mutex_unlock(&sessions_mutex); });
  const timespec deadline = deadline_on(CLOCK_REALTIME, length);
  // EXPECT stall on="lock timed_mutex" cause=lock call=pthread_mutex_timedlock
  // function=block_in_mutex_timedlock
  if (pthread_mutex_timedlock(&sessions_mutex, &deadline) == 0) {
    pthread_mutex_unlock(&sessions_mutex);
  }
}

void block_in_std_mutex(Milliseconds length) {
  const Holder holder(
      length, [] { routes_mutex.lock(); }, [] { routes_mutex.unlock(); });
  // EXPECT stall on="lock std_mutex" cause=lock call=pthread_mutex_lock function=block_in_std_mutex
  const std::lock_guard guard(routes_mutex);
}

class Semaphore {
 public:
  Semaphore() { sem_init(&semaphore_, 0, 0); }
  ~Semaphore() { sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  sem_t* get() { return &semaphore_; }

 private:
  sem_t semaphore_;
};

void block_in_sem_wait(Milliseconds length) {
  Semaphore semaphore;
  const Later release(length, [&semaphore] { sem_post(semaphore.get()); });
  // EXPECT stall on="lock semaphore" cause=lock call=sem_wait function=block_in_sem_wait
  sem_wait(semaphore.get());
}

void block_in_sem_timedwait(Milliseconds length) {
  Semaphore semaphore;
  const timespec deadline = deadline_on(CLOCK_REALTIME, length);
  // EXPECT stall on="lock timed_semaphore" cause=lock call=sem_timedwait
  // function=block_in_sem_timedwait
  sem_timedwait(semaphore.get(), &deadline);
}

void block_in_sem_clockwait(Milliseconds length) {
  Semaphore semaphore;
  const timespec deadline = deadline_on(CLOCK_MONOTONIC, length);
  // EXPECT stall on="lock clock_semaphore" cause=lock call=sem_clockwait
  // function=block_in_sem_clockwait
  sem_clockwait(semaphore.get(), CLOCK_MONOTONIC, &deadline);
}

constexpr Callback kCallbacks[] = {
    {"lock", "mutex", block_in_mutex_lock},
    {"lock", "timed_mutex", block_in_mutex_timedlock},
    {"lock", "std_mutex", block_in_std_mutex},
    {"lock", "semaphore", block_in_sem_wait},
    {"lock", "timed_semaphore", block_in_sem_timedwait},
    {"lock", "clock_semaphore", block_in_sem_clockwait},
};

}  // namespace

std::span<const Callback> lock_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
