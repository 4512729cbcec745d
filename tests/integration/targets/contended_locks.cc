// Threads that wait for locks, and threads that do not. Usage: contended_locks MODE
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kWaiters = 3;
constexpr auto kHold = std::chrono::milliseconds(30);

pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
std::mutex cache;
sem_t tickets;
std::atomic<int> counted{0};
volatile uint64_t computed = 0;

__attribute__((noinline)) void hold() {
  usleep(static_cast<useconds_t>(std::chrono::microseconds(kHold).count()));
  ++counted;
}

__attribute__((noinline)) void append(pthread_mutex_t& mutex) {
  pthread_mutex_lock(&mutex);
  hold();
  pthread_mutex_unlock(&mutex);
}
__attribute__((noinline)) void update() {
  pthread_rwlock_wrlock(&table);
  hold();
  pthread_rwlock_unlock(&table);
}
__attribute__((noinline)) void refill() {
  cache.lock();
  hold();
  cache.unlock();
}
__attribute__((noinline)) void enter() {
  sem_wait(&tickets);
  hold();
  sem_post(&tickets);
}

// Makes no call for that long.
__attribute__((noinline)) void compute() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(800);
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 1000; ++i) computed = computed + 1;
  }
}

// While the main thread holds something.
void wait_beside(const std::function<void()>& take, const std::function<void()>& release,
                 const std::function<void()>& contend) {
  take();
  std::vector<std::thread> threads;
  for (int i = 0; i < kWaiters; ++i) threads.emplace_back(contend);
  // All wait, and for long enough to be looked at.
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  release();
  for (std::thread& thread : threads) thread.join();
}

__attribute__((noinline)) pthread_mutex_t* new_mutex() {
  auto* mutex = new pthread_mutex_t;
  pthread_mutex_init(mutex, nullptr);
  return mutex;
}

// Many locks, none of which is ever waited for.
void alone() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      pthread_mutex_t* own = new_mutex();
      pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
      sem_t semaphore;
      sem_init(&semaphore, 0, 1);
      for (int iteration = 0; iteration < 10000; ++iteration) {
        pthread_mutex_lock(own);
        pthread_rwlock_wrlock(&lock);
        sem_wait(&semaphore);
        sem_post(&semaphore);
        pthread_rwlock_unlock(&lock);
        pthread_mutex_unlock(own);
      }
      pthread_mutex_destroy(own);
      delete own;
      ++counted;
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Each waits for the others most of the time, and what they count stays right.
void storm() {
  static int total = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int iteration = 0; iteration < 300000; ++iteration) {
        pthread_mutex_lock(&journal);
        ++total;
        pthread_mutex_unlock(&journal);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  counted = total;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string mode = count > 1 ? arguments[1] : "";
  sem_init(&tickets, 0, 1);
  if (mode == "alone") {
    alone();
  } else if (mode == "mutex") {
    wait_beside([] { pthread_mutex_lock(&journal); }, [] { pthread_mutex_unlock(&journal); },
                [] { append(journal); });
  } else if (mode == "heap") {
    pthread_mutex_t* mutex = new_mutex();
    wait_beside([=] { pthread_mutex_lock(mutex); }, [=] { pthread_mutex_unlock(mutex); },
                [=] { append(*mutex); });
  } else if (mode == "rwlock") {
    wait_beside([] { pthread_rwlock_wrlock(&table); }, [] { pthread_rwlock_unlock(&table); },
                update);
  } else if (mode == "std") {
    wait_beside([] { cache.lock(); }, [] { cache.unlock(); }, refill);
  } else if (mode == "semaphore") {
    wait_beside([] { sem_wait(&tickets); }, [] { sem_post(&tickets); }, enter);
  } else if (mode == "computing") {
    std::thread waiter;
    cache.lock();
    waiter = std::thread(refill);
    compute();
    cache.unlock();
    waiter.join();
  } else if (mode == "storm") {
    storm();
  } else {
    std::fprintf(stderr, "contended_locks: no such mode\n");
    return 2;
  }
  std::printf("%d\n", counted.load());
  return 0;
}
