// Read-write locks of every kind, spin locks, barriers, once, and C11's threads: the same answers
// as without a recorder, misuse included.
#include <threads.h>

#include <stdexcept>

#include "answers.h"

using namespace hostile;

namespace {

void in_thread(void* (*routine)(void*), void* argument) {
  pthread_t thread;
  pthread_create(&thread, nullptr, routine, argument);
  pthread_join(thread, nullptr);
}

// Both sides of a lock from a thread that does not hold it.
void* from_elsewhere(void* argument) {
  auto* lock = static_cast<pthread_rwlock_t*>(argument);
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 3);
  const timespec monotonic = deadline_in_ms(CLOCK_MONOTONIC, 3);
  const timespec past = {1, 0};
  const timespec bad = {1, 1000000000};
  const auto take = [&](const char* what, int result) {
    say("  elsewhere %s: %d\n", what, result);
    if (result == 0) pthread_rwlock_unlock(lock);
  };
  take("tryrd", pthread_rwlock_tryrdlock(lock));
  take("trywr", pthread_rwlock_trywrlock(lock));
  take("timedrd", pthread_rwlock_timedrdlock(lock, &soon));
  take("timedwr", pthread_rwlock_timedwrlock(lock, &soon));
  take("clockrd", pthread_rwlock_clockrdlock(lock, CLOCK_MONOTONIC, &monotonic));
  take("clockwr", pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &monotonic));
  take("timedrd past", pthread_rwlock_timedrdlock(lock, &past));
  take("timedwr past", pthread_rwlock_timedwrlock(lock, &past));
  take("timedrd bad", pthread_rwlock_timedrdlock(lock, &bad));
  take("timedwr bad", pthread_rwlock_timedwrlock(lock, &bad));
  take("clockrd cpu", pthread_rwlock_clockrdlock(lock, CLOCK_PROCESS_CPUTIME_ID, &monotonic));
  take("clockwr cpu", pthread_rwlock_clockwrlock(lock, CLOCK_PROCESS_CPUTIME_ID, &monotonic));
  return nullptr;
}

struct Queue {
  pthread_rwlock_t lock;
  std::atomic<pid_t> writer{0};
};

void* write_once(void* argument) {
  auto* queue = static_cast<Queue*>(argument);
  queue->writer = gettid();
  pthread_rwlock_wrlock(&queue->lock);
  say("  the writer has it\n");
  pthread_rwlock_unlock(&queue->lock);
  return nullptr;
}

void* try_read(void* argument) {
  auto* queue = static_cast<Queue*>(argument);
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 20);
  const int result = pthread_rwlock_timedrdlock(&queue->lock, &soon);
  say("  a reader beside a waiting writer: %d\n", result);
  if (result == 0) pthread_rwlock_unlock(&queue->lock);
  return nullptr;
}

void use_rwlock(const char* name, int preference) {
  say("%s\n", name);
  Queue queue;
  pthread_rwlockattr_t attributes;
  pthread_rwlockattr_init(&attributes);
  pthread_rwlockattr_setkind_np(&attributes, preference);
  pthread_rwlock_init(&queue.lock, &attributes);
  pthread_rwlock_t* lock = &queue.lock;
  errno = kUntouched;
  say("  rd %d", pthread_rwlock_rdlock(lock));
  say(" rd %d\n", pthread_rwlock_rdlock(lock));
  in_thread(from_elsewhere, lock);
  say("  unlock %d %d\n", pthread_rwlock_unlock(lock), pthread_rwlock_unlock(lock));
  say("  wr %d", pthread_rwlock_wrlock(lock));
  // By the holder itself: libc sees these two, and no others.
  say(" rd %d", pthread_rwlock_rdlock(lock));
  say(" wr %d\n", pthread_rwlock_wrlock(lock));
  in_thread(from_elsewhere, lock);
  say("  unlock %d", pthread_rwlock_unlock(lock));
  say(" errno %d\n", errno);
  // While a writer waits, the kind decides whether another reader may pass it.
  pthread_rwlock_rdlock(lock);
  pthread_t writer;
  pthread_create(&writer, nullptr, write_once, &queue);
  while (queue.writer == 0) usleep(1000);
  until_asleep(queue.writer);
  in_thread(try_read, &queue);
  if (preference != PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) {
    say("  again, recursively: %d\n", pthread_rwlock_rdlock(lock));
    pthread_rwlock_unlock(lock);
  }
  pthread_rwlock_unlock(lock);
  pthread_join(writer, nullptr);
  say("  destroy %d\n", pthread_rwlock_destroy(lock));
}

struct Counted {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  pthread_spinlock_t spin;
  pthread_barrier_t barrier;
  pthread_once_t once = PTHREAD_ONCE_INIT;
  long by_lock = 0;
  long by_spin = 0;
  std::atomic<int> serial{0};
  std::atomic<int> odd{0};
};
Counted counted;
std::atomic<int> once_calls{0};

void* count(void*) {
  for (int i = 0; i < 2000; ++i) {
    pthread_rwlock_wrlock(&counted.lock);
    ++counted.by_lock;
    pthread_rwlock_unlock(&counted.lock);
    pthread_rwlock_rdlock(&counted.lock);
    const bool odd = counted.by_lock < 0;
    pthread_rwlock_unlock(&counted.lock);
    if (odd) ++counted.odd;
    pthread_spin_lock(&counted.spin);
    ++counted.by_spin;
    pthread_spin_unlock(&counted.spin);
    if (i % 20 == 0) {
      const int result = pthread_barrier_wait(&counted.barrier);
      if (result == PTHREAD_BARRIER_SERIAL_THREAD) {
        ++counted.serial;
      } else if (result != 0) {
        ++counted.odd;
      }
      pthread_once(&counted.once, [] { ++once_calls; });
    }
  }
  return nullptr;
}

void at_once() {
  pthread_spin_init(&counted.spin, PTHREAD_PROCESS_PRIVATE);
  say("barrier of none %d\n", pthread_barrier_init(&counted.barrier, nullptr, 0));
  pthread_barrier_init(&counted.barrier, nullptr, 4);
  pthread_t threads[4];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, count, nullptr);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  say("locked %ld spun %ld serial %d once %d odd %d\n", counted.by_lock, counted.by_spin,
      counted.serial.load(), once_calls.load(), counted.odd.load());
  say("spin try %d", pthread_spin_trylock(&counted.spin));
  say(" try %d", pthread_spin_trylock(&counted.spin));
  say(" unlock %d", pthread_spin_unlock(&counted.spin));
  say(" destroy %d\n", pthread_spin_destroy(&counted.spin));
  pthread_barrier_t alone;
  pthread_barrier_init(&alone, nullptr, 1);
  say("alone at a barrier %d", pthread_barrier_wait(&alone));
  say(" destroy %d\n", pthread_barrier_destroy(&alone));
}

pthread_once_t retried = PTHREAD_ONCE_INIT;
int attempts = 0;
void attempt() {
  usleep(1000);
  if (++attempts < 4) throw std::runtime_error("not yet");
}
void* try_once(void*) {
  int failures = 0;
  for (;;) {
    try {
      const int result = pthread_once(&retried, attempt);
      return reinterpret_cast<void*>(static_cast<intptr_t>(result * 100 + failures));
    } catch (const std::runtime_error&) {
      ++failures;
    }
  }
}
void retry() {
  pthread_t threads[3];
  intptr_t failures = 0;
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, try_once, nullptr);
  for (pthread_t thread : threads) {
    void* result = nullptr;
    pthread_join(thread, &result);
    failures += reinterpret_cast<intptr_t>(result);
  }
  say("once: attempts %d failures %ld\n", attempts, static_cast<long>(failures));
}

mtx_t plain;
mtx_t timed;
cnd_t condition;
int stage = 0;

int c11_thread(void*) {
  // Not before its creator has spoken, who holds the lock until then.
  mtx_lock(&plain);
  mtx_unlock(&plain);
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 3);
  say("  elsewhere: try %d", mtx_trylock(&timed));
  say(" timed %d\n", mtx_timedlock(&timed, &soon));
  mtx_lock(&plain);
  stage = 1;
  cnd_signal(&condition);
  while (stage != 2) cnd_wait(&condition, &plain);
  say("  condition %d\n", cnd_timedwait(&condition, &plain, &soon));
  mtx_unlock(&plain);
  const timespec moment = {0, 1000};
  say("  sleep %d\n", thrd_sleep(&moment, nullptr));
  const timespec bad = {0, -1};
  say("  bad sleep %d\n", thrd_sleep(&bad, nullptr));
  thrd_exit(33);
}

void c11() {
  say("C11: %d %d %d\n", mtx_init(&plain, mtx_plain), mtx_init(&timed, mtx_timed | mtx_recursive),
      cnd_init(&condition));
  say("  lock %d", mtx_lock(&timed));
  say(" again %d", mtx_lock(&timed));
  say(" try %d\n", mtx_trylock(&timed));
  thrd_t thread;
  mtx_lock(&plain);
  say("  create %d\n", thrd_create(&thread, c11_thread, nullptr));
  while (stage != 1) cnd_wait(&condition, &plain);
  stage = 2;
  cnd_broadcast(&condition);
  mtx_unlock(&plain);
  int result = 0;
  say("  join %d", thrd_join(thread, &result));
  say(" result %d\n", result);
  say("  unlock %d\n", mtx_unlock(&timed));
  static std::atomic<int> called{0};
  once_flag flag = ONCE_FLAG_INIT;
  for (int i = 0; i < 3; ++i) call_once(&flag, [] { ++called; });
  say("  called %d\n", called.load());
  handle(
      SIGALRM, [](int) {}, 0);
  const timespec long_time = {100, 0};
  timespec left{};
  alarm_every_ms(10);
  const int slept = thrd_sleep(&long_time, &left);
  alarm_every_ms(0);
  say("  interrupted %d left %d\n", slept, left.tv_sec >= 80);
  mtx_destroy(&plain);
  mtx_destroy(&timed);
  cnd_destroy(&condition);
}

}  // namespace

int main() {
  use_rwlock("prefers readers", PTHREAD_RWLOCK_PREFER_READER_NP);
  use_rwlock("prefers writers", PTHREAD_RWLOCK_PREFER_WRITER_NP);
  use_rwlock("prefers writers, not recursive", PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  at_once();
  retry();
  c11();
  say("done\n");
}
