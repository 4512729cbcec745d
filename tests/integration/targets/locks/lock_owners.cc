// A loop whose one long iteration waits for a lock, of the kind and with the owner that the
// argument names.
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "tests/integration/targets/locks/named_thread.h"
#include "tests/integration/targets/one_long_iteration.h"

pthread_mutex_t cache_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
pthread_spinlock_t spin_lock;
sem_t slots;
mtx_t c11_mutex;
std::mutex std_mutex;
std::recursive_mutex std_recursive_mutex;
std::timed_mutex std_timed_mutex;
std::shared_mutex std_shared_mutex;
uint32_t futex_word;

namespace {

constexpr unsigned kHold = 400'000;  // microseconds

std::atomic<bool> held{false};
void wait_until_held() {
  while (!held) usleep(500);
}

volatile int flushes;
__attribute__((noinline)) void flush() {
  usleep(kHold);  // the owner's own call
  flushes = flushes + 1;
}

template <typename Take, typename Give>
void hold(Take take, Give give) {
  take();
  held = true;
  flush();
  give();
}

// An iteration waits by `take` for what the thread "flusher" holds.
template <typename Take, typename Give>
void callback_against_flusher(Take take, Give give) {
  std::thread flusher;
  run_loop(
      [&] {
        flusher = named_thread("flusher", [=] { hold(take, give); });
        wait_until_held();
      },
      [&] {
        take();
        give();
      });
  flusher.join();
}

void against_mutex(int type, int protocol, int robust, int shared) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutexattr_setrobust(&attributes, robust);
  pthread_mutexattr_setpshared(&attributes, shared);
  pthread_mutex_init(&cache_mutex, &attributes);
  callback_against_flusher([] { pthread_mutex_lock(&cache_mutex); },
                           [] { pthread_mutex_unlock(&cache_mutex); });
}

// flusher holds the cache's lock and waits for the log's, which "logger" holds, in a sleep.
void chain() {
  std::thread flusher;
  std::thread logger;
  run_loop(
      [&] {
        logger = named_thread("logger", [] {
          hold([] { pthread_mutex_lock(&log_mutex); }, [] { pthread_mutex_unlock(&log_mutex); });
        });
        wait_until_held();
        held = false;
        flusher = named_thread("flusher", [] {
          pthread_mutex_lock(&cache_mutex);
          held = true;
          pthread_mutex_lock(&log_mutex);
          pthread_mutex_unlock(&log_mutex);
          pthread_mutex_unlock(&cache_mutex);
        });
        wait_until_held();
      },
      [&] {
        pthread_mutex_lock(&cache_mutex);
        pthread_mutex_unlock(&cache_mutex);
      });
  flusher.join();
  logger.join();
}

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

volatile unsigned long sum;
__attribute__((noinline)) void compute_under_lock(double milliseconds) {
  const double end = now_ms() + milliseconds;
  while (now_ms() < end) {
    for (int i = 0; i < 10'000; ++i) sum = sum + static_cast<unsigned long>(i);
  }
}

void running_owner() {
  std::thread owner;
  run_loop(
      [&] {
        owner = named_thread("cruncher", [] {
          pthread_mutex_lock(&cache_mutex);
          held = true;
          compute_under_lock(400);
          pthread_mutex_unlock(&cache_mutex);
        });
        wait_until_held();
      },
      [] {
        pthread_mutex_lock(&cache_mutex);
        pthread_mutex_unlock(&cache_mutex);
      });
  owner.join();
}

// The thread that has the lock gets no CPU: another of higher priority has the only one it may use.
void starved_owner() {
  std::thread owner;
  std::thread hog;
  std::atomic<bool> over{false};
  const auto pin = [](int cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<unsigned>(cpu), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
  };
  run_loop(
      [&] {
        owner = named_thread("idler", [&] {
          pin(1);
          sched_param none{};
          sched_setscheduler(0, SCHED_IDLE, &none);
          pthread_mutex_lock(&cache_mutex);
          held = true;
          while (!over) sum = sum + 1;
          pthread_mutex_unlock(&cache_mutex);
        });
        wait_until_held();
        hog = named_thread("hog", [&] {
          pin(1);
          sched_param some{};
          some.sched_priority = 1;
          sched_setscheduler(0, SCHED_FIFO, &some);
          compute_under_lock(500);
          over = true;
        });
        usleep(20'000);
      },
      [] {
        pthread_mutex_lock(&cache_mutex);
        pthread_mutex_unlock(&cache_mutex);
      });
  owner.join();
  hog.join();
}

// The owner has ended; the iteration gives up.
void lost_owner() {
  run_loop([] { named_thread("careless", [] { pthread_mutex_lock(&cache_mutex); }).join(); },
           [] {
             timespec deadline{};
             clock_gettime(CLOCK_REALTIME, &deadline);
             deadline.tv_nsec += 400'000'000;
             deadline.tv_sec += deadline.tv_nsec / 1'000'000'000;
             deadline.tv_nsec %= 1'000'000'000;
             pthread_mutex_timedlock(&cache_mutex, &deadline);
           });
}

// In another process, by a mutex in shared memory.
void other_process() {
  void* const memory =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const mutex = static_cast<pthread_mutex_t*>(memory);
  auto* const is_held = reinterpret_cast<std::atomic<bool>*>(static_cast<char*>(memory) + 1024);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(mutex, &attributes);
  pid_t child = 0;
  run_loop(
      [&] {
        child = fork();
        if (child == 0) {
          pthread_mutex_lock(mutex);
          *is_held = true;
          flush();
          pthread_mutex_unlock(mutex);
          _exit(0);
        }
        while (!*is_held) usleep(500);
      },
      [&] {
        pthread_mutex_lock(mutex);
        pthread_mutex_unlock(mutex);
      });
  waitpid(child, nullptr, 0);
}

// A lock on a file, which a child has.
template <typename Lock>
void against_file(Lock lock) {
  pid_t child = 0;
  int ready[2];
  if (pipe(ready) != 0) return;
  const int fd = open("data.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  run_loop(
      [&] {
        child = fork();
        char byte = 0;
        if (child == 0) {
          lock(open("data.lock", O_RDWR | O_CLOEXEC));
          if (write(ready[1], &byte, 1) == 1) flush();
          _exit(0);
        }
        if (read(ready[0], &byte, 1) != 1) _exit(1);
      },
      [&] { lock(fd); });
  waitpid(child, nullptr, 0);
}

void lock_record(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  fcntl(fd, F_SETLKW, &lock);
}

void by_hand(int lock, int unlock) {
  callback_against_flusher(
      [=] { syscall(SYS_futex, &futex_word, lock, 0, nullptr, nullptr, 0); },
      [=] { syscall(SYS_futex, &futex_word, unlock, 0, nullptr, nullptr, 0); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  constexpr int kNone = PTHREAD_PRIO_NONE;
  constexpr int kStalled = PTHREAD_MUTEX_STALLED;
  constexpr int kPrivate = PTHREAD_PROCESS_PRIVATE;
  if (what == "mutex") against_mutex(PTHREAD_MUTEX_NORMAL, kNone, kStalled, kPrivate);
  if (what == "error-checking") {
    against_mutex(PTHREAD_MUTEX_ERRORCHECK, kNone, kStalled, kPrivate);
  }
  if (what == "recursive") against_mutex(PTHREAD_MUTEX_RECURSIVE, kNone, kStalled, kPrivate);
  if (what == "robust") {
    against_mutex(PTHREAD_MUTEX_NORMAL, kNone, PTHREAD_MUTEX_ROBUST, kPrivate);
  }
  if (what == "priority-inheriting") {
    against_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, kStalled, kPrivate);
  }
  if (what == "process-shared") {
    against_mutex(PTHREAD_MUTEX_NORMAL, kNone, kStalled, PTHREAD_PROCESS_SHARED);
  }
  if (what == "rwlock") {
    callback_against_flusher([] { pthread_rwlock_wrlock(&table_lock); },
                             [] { pthread_rwlock_unlock(&table_lock); });
  }
  if (what == "readers") {
    std::thread readers[2];
    std::atomic<int> reading{0};
    run_loop(
        [&] {
          for (auto& reader : readers) {
            reader = named_thread("reader", [&] {
              pthread_rwlock_rdlock(&table_lock);
              ++reading;
              flush();
              pthread_rwlock_unlock(&table_lock);
            });
          }
          while (reading < 2) usleep(500);
        },
        [] {
          pthread_rwlock_wrlock(&table_lock);
          pthread_rwlock_unlock(&table_lock);
        });
    for (auto& reader : readers) reader.join();
  }
  if (what == "spin") {
    pthread_spin_init(&spin_lock, PTHREAD_PROCESS_PRIVATE);
    callback_against_flusher([] { pthread_spin_lock(&spin_lock); },
                             [] { pthread_spin_unlock(&spin_lock); });
  }
  if (what == "semaphore") {
    sem_init(&slots, 0, 1);
    callback_against_flusher([] { sem_wait(&slots); }, [] { sem_post(&slots); });
  }
  if (what == "c11") {
    mtx_init(&c11_mutex, mtx_plain);
    callback_against_flusher([] { mtx_lock(&c11_mutex); }, [] { mtx_unlock(&c11_mutex); });
  }
  if (what == "std") callback_against_flusher([] { std_mutex.lock(); }, [] { std_mutex.unlock(); });
  if (what == "std-recursive") {
    callback_against_flusher([] { std_recursive_mutex.lock(); },
                             [] { std_recursive_mutex.unlock(); });
  }
  if (what == "std-timed") {
    callback_against_flusher([] { (void)std_timed_mutex.try_lock_for(std::chrono::seconds(9)); },
                             [] { std_timed_mutex.unlock(); });
  }
  if (what == "std-shared") {
    callback_against_flusher([] { std_shared_mutex.lock(); }, [] { std_shared_mutex.unlock(); });
  }
  if (what == "futex-pi") by_hand(FUTEX_LOCK_PI_PRIVATE, FUTEX_UNLOCK_PI_PRIVATE);
  if (what == "stream")
    callback_against_flusher([] { flockfile(stdout); }, [] { funlockfile(stdout); });
  if (what == "chain") chain();
  if (what == "running") running_owner();
  if (what == "run-queue-wait") starved_owner();
  if (what == "lost") lost_owner();
  if (what == "other-process") other_process();
  if (what == "flock") against_file([](int fd) { flock(fd, LOCK_EX); });
  if (what == "fcntl") against_file(lock_record);
  return 0;
}
