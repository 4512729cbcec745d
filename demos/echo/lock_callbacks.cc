// Callbacks that wait for a lock.

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#include <mutex>
#include <shared_mutex>

#include "demos/echo/callbacks.h"
#include "demos/echo/holder.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

pthread_mutex_t sessions_mutex = PTHREAD_MUTEX_INITIALIZER;
std::mutex routes_mutex;

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

pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

void block_in_read_lock(Milliseconds length) {
  const Holder writer(
      length, [] { pthread_rwlock_wrlock(&table_lock); },
      [] { pthread_rwlock_unlock(&table_lock); });
  // EXPECT stall on="lock read_lock" cause=lock call=pthread_rwlock_rdlock
  // function=block_in_read_lock
  pthread_rwlock_rdlock(&table_lock);
  pthread_rwlock_unlock(&table_lock);
}

void block_in_write_lock(Milliseconds length) {
  const Holder reader(
      length, [] { pthread_rwlock_rdlock(&table_lock); },
      [] { pthread_rwlock_unlock(&table_lock); });
  // EXPECT stall on="lock write_lock" cause=lock call=pthread_rwlock_wrlock
  // function=block_in_write_lock
  pthread_rwlock_wrlock(&table_lock);
  pthread_rwlock_unlock(&table_lock);
}

void block_in_shared_mutex(Milliseconds length) {
  static std::shared_mutex mutex;
  const Holder writer(
      length, [] { mutex.lock(); }, [] { mutex.unlock(); });
  // EXPECT stall on="lock shared_mutex" cause=lock call=pthread_rwlock_rdlock
  // function=block_in_shared_mutex
  const std::shared_lock guard(mutex);
}

void block_in_c11_mutex(Milliseconds length) {
  static mtx_t mutex;
  mtx_init(&mutex, mtx_plain);
  {
    const Holder holder(
        length, [] { mtx_lock(&mutex); }, [] { mtx_unlock(&mutex); });
    // EXPECT stall on="lock c11_mutex" cause=lock call=mtx_lock function=block_in_c11_mutex
    mtx_lock(&mutex);
    mtx_unlock(&mutex);
  }
  mtx_destroy(&mutex);
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
    {"lock", "read_lock", block_in_read_lock},
    {"lock", "write_lock", block_in_write_lock},
    {"lock", "shared_mutex", block_in_shared_mutex},
    {"lock", "c11_mutex", block_in_c11_mutex},
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
