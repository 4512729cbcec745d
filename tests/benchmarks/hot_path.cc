// The calls that programs make most often, each as short as it can be. Run plain and under Tailback
// by `overhead`, which compares the two.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

void LockPair(benchmark::State& state) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  for (auto _ : state) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
  }
}
BENCHMARK(LockPair);

// Pairs within one another.
void NestedLockPairs(benchmark::State& state) {
  static pthread_mutex_t mutexes[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                       PTHREAD_MUTEX_INITIALIZER};
  const auto depth = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    for (size_t i = 0; i < depth; ++i) pthread_mutex_lock(&mutexes[i]);
    for (size_t i = depth; i-- > 0;) pthread_mutex_unlock(&mutexes[i]);
  }
}
BENCHMARK(NestedLockPairs)->Arg(1)->Arg(2)->Arg(3);

void ReadLockPair(benchmark::State& state) {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  for (auto _ : state) {
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_unlock(&lock);
  }
}
BENCHMARK(ReadLockPair);

void SemaphorePair(benchmark::State& state) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  for (auto _ : state) {
    sem_wait(&semaphore);
    sem_post(&semaphore);
  }
}
BENCHMARK(SemaphorePair);

void ReadNothing(benchmark::State& state) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK) != 0) abort();
  char byte = 0;
  for (auto _ : state) benchmark::DoNotOptimize(read(ends[0], &byte, 1));
  close(ends[0]);
  close(ends[1]);
}
BENCHMARK(ReadNothing);

void ReadData(benchmark::State& state) {
  const int zeros = open("/dev/zero", O_RDONLY | O_NONBLOCK);
  char bytes[64];
  for (auto _ : state) benchmark::DoNotOptimize(read(zeros, bytes, sizeof bytes));
  close(zeros);
}
BENCHMARK(ReadData);

// A loop that is always ready: one iteration of an event loop with nothing in it.
void Iteration(benchmark::State& state) {
  const int epfd = epoll_create1(0);
  const int ready = eventfd(1, EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epfd, EPOLL_CTL_ADD, ready, &event);
  for (auto _ : state) benchmark::DoNotOptimize(epoll_wait(epfd, &event, 1, 0));
  close(ready);
  close(epfd);
}
BENCHMARK(Iteration);

// A read on a thread that runs a loop, where the time of calls is summed up.
void ReadWithinIteration(benchmark::State& state) {
  const int epfd = epoll_create1(0);
  const int zeros = open("/dev/zero", O_RDONLY | O_NONBLOCK);
  epoll_event event{};
  for (int i = 0; i < 3; ++i) epoll_wait(epfd, &event, 1, 0);
  char bytes[64];
  for (auto _ : state) benchmark::DoNotOptimize(read(zeros, bytes, sizeof bytes));
  close(zeros);
  close(epfd);
}
BENCHMARK(ReadWithinIteration);

}  // namespace

BENCHMARK_MAIN();
