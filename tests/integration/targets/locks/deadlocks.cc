// Programs that hang, one per argument. Each says "ready" before the last step, and is ended from
// outside.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "tests/integration/targets/locks/named_thread.h"

pthread_mutex_t lock_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t lock_b = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t forks[5];
pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
sem_t turn_left;
sem_t turn_right;
pthread_barrier_t meeting;
pthread_cond_t news = PTHREAD_COND_INITIALIZER;

namespace {

// So that all have taken their first lock before any asks for its second.
std::atomic<int> arrived{0};
void wait_for_all(int count) {
  ++arrived;
  while (arrived < count) usleep(1000);
}

void ready() {
  printf("ready %d\n", getpid());
  fflush(stdout);
}

__attribute__((noinline)) void take_in_order(pthread_mutex_t* first, pthread_mutex_t* second,
                                             int threads) {
  pthread_mutex_lock(first);
  wait_for_all(threads);
  pthread_mutex_lock(second);  // the deadlock
  pthread_mutex_unlock(second);
  pthread_mutex_unlock(first);
}

// Each of some threads takes its own lock and then the next one's.
void ring(int threads, const char* name) {
  std::vector<std::thread> all;
  for (auto& fork : forks) pthread_mutex_init(&fork, nullptr);
  ready();
  for (int i = 0; i < threads; ++i) {
    all.push_back(
        named_thread(name, [=] { take_in_order(&forks[i], &forks[(i + 1) % threads], threads); }));
  }
  for (auto& thread : all) thread.join();
}

void ab_ba() {
  ready();
  std::thread left = named_thread("left", [] { take_in_order(&lock_a, &lock_b, 2); });
  std::thread right = named_thread("right", [] { take_in_order(&lock_b, &lock_a, 2); });
  left.join();
  right.join();
}

// The one that waits with a time limit gives up and goes on.
void timed() {
  ready();
  std::thread left = named_thread("left", [] {
    pthread_mutex_lock(&lock_a);
    wait_for_all(2);
    timespec deadline{};
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 3;
    if (pthread_mutex_timedlock(&lock_b, &deadline) == 0) pthread_mutex_unlock(&lock_b);
    pthread_mutex_unlock(&lock_a);
  });
  std::thread right = named_thread("right", [] { take_in_order(&lock_b, &lock_a, 2); });
  left.join();
  right.join();
}

__attribute__((noinline)) void take_twice() {
  pthread_mutex_lock(&lock_a);
  ready();
  pthread_mutex_lock(&lock_a);  // the deadlock
  puts("never");
}

__attribute__((noinline)) void upgrade() {
  pthread_rwlock_rdlock(&table_lock);
  ready();
  pthread_rwlock_wrlock(&table_lock);  // the deadlock
  puts("never");
}

// Two threads that each hold what the other wants: one for writing.
void writer_and_mutex() {
  ready();
  std::thread writer = named_thread("writer", [] {
    pthread_rwlock_wrlock(&table_lock);
    wait_for_all(2);
    pthread_mutex_lock(&lock_a);
  });
  std::thread reader = named_thread("reader", [] {
    pthread_mutex_lock(&lock_a);
    wait_for_all(2);
    pthread_rwlock_rdlock(&table_lock);
  });
  writer.join();
  reader.join();
}

// The reader waits for the mutex of who wants to write.
void reader_and_mutex() {
  ready();
  std::thread reader = named_thread("reader", [] {
    pthread_rwlock_rdlock(&table_lock);
    wait_for_all(3);
    pthread_mutex_lock(&lock_a);
  });
  std::thread writer = named_thread("writer", [] {
    pthread_mutex_lock(&lock_a);
    wait_for_all(3);
    pthread_rwlock_wrlock(&table_lock);
  });
  std::thread bystander = named_thread("bystander", [] {
    wait_for_all(3);
    for (;;) pause();
  });
  bystander.join();
  reader.join();
  writer.join();
}

// The child has a copy of a lock that a thread of its parent has taken.
void held_over_fork() {
  std::thread holder = named_thread("holder", [] {
    pthread_mutex_lock(&lock_a);
    wait_for_all(2);
    pause();
  });
  wait_for_all(2);
  const pid_t child = fork();
  if (child == 0) {
    ready();
    pthread_mutex_lock(&lock_a);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  _exit(0);
}

pthread_t joiners[2];
void* join_the_other(void* index) {
  wait_for_all(3);
  pthread_join(joiners[1 - reinterpret_cast<intptr_t>(index)], nullptr);
  return nullptr;
}
void join_each_other() {
  for (intptr_t i = 0; i < 2; ++i) {
    pthread_create(&joiners[i], nullptr, join_the_other, reinterpret_cast<void*>(i));
    pthread_setname_np(joiners[i], i == 0 ? "first" : "second");
  }
  ready();
  wait_for_all(3);
  pause();
}

// Each waits for its iteration, which the other gives.
void hand_off() {
  sem_init(&turn_left, 0, 0);
  sem_init(&turn_right, 0, 0);
  ready();
  std::thread left = named_thread("left", [] {
    sem_wait(&turn_left);
    sem_post(&turn_right);
  });
  std::thread right = named_thread("right", [] {
    sem_wait(&turn_right);
    sem_post(&turn_left);
  });
  left.join();
  right.join();
}

// Semaphores of one slot, which those who take them give back: until both are held.
void semaphore_locks() {
  sem_init(&turn_left, 0, 1);
  sem_init(&turn_right, 0, 1);
  for (sem_t* semaphore : {&turn_left, &turn_right}) {
    sem_wait(semaphore);
    sem_post(semaphore);
  }
  ready();
  const auto take = [](sem_t* first, sem_t* second) {
    sem_wait(first);
    wait_for_all(3);
    sem_wait(second);
    sem_post(second);
    sem_post(first);
  };
  std::thread left = named_thread("left", [=] { take(&turn_left, &turn_right); });
  std::thread right = named_thread("right", [=] { take(&turn_right, &turn_left); });
  wait_for_all(3);
  for (;;) pause();
}

// One waits in a barrier with the lock that the other needs to get there.
void barrier_under_lock() {
  pthread_barrier_init(&meeting, nullptr, 2);
  ready();
  std::thread left = named_thread("left", [] {
    pthread_mutex_lock(&lock_a);
    wait_for_all(2);
    pthread_barrier_wait(&meeting);
    pthread_mutex_unlock(&lock_a);
  });
  std::thread right = named_thread("right", [] {
    wait_for_all(2);
    pthread_mutex_lock(&lock_a);
    pthread_mutex_unlock(&lock_a);
    pthread_barrier_wait(&meeting);
  });
  left.join();
  right.join();
}

void lost_owner() {
  named_thread("careless", [] { pthread_mutex_lock(&lock_a); }).join();
  ready();
  named_thread("waiter", [] { pthread_mutex_lock(&lock_a); }).join();
}

int open_file(const char* path) {
  return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

// Two processes and two files.
void file_locks() {
  int ready_pipe[2];
  if (pipe(ready_pipe) != 0) return;
  const pid_t child = fork();
  const bool is_child = child == 0;
  const int first = open_file(is_child ? "two.lock" : "one.lock");
  const int second = open_file(is_child ? "one.lock" : "two.lock");
  flock(first, LOCK_EX);
  char byte = 0;
  if (is_child) {
    if (write(ready_pipe[1], &byte, 1) != 1) _exit(1);
    usleep(100'000);
  } else {
    if (read(ready_pipe[0], &byte, 1) != 1) _exit(1);
    ready();
    usleep(100'000);
  }
  flock(second, LOCK_EX);
  _exit(0);
}

// Threads at rest, and one that waits for them: nothing is held.
void idle_pool() {
  ready();
  std::vector<std::thread> pool;
  for (int i = 0; i < 4; ++i) {
    pool.push_back(named_thread("worker", [] {
      pthread_mutex_lock(&lock_a);
      for (;;) pthread_cond_wait(&news, &lock_a);
    }));
  }
  pool[0].join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "ab_ba") ab_ba();
  if (what == "three_way") ring(3, "ring");
  if (what == "dining") ring(5, "philosopher");
  if (what == "timed") timed();
  if (what == "self") take_twice();
  if (what == "upgrade") upgrade();
  if (what == "writer_and_mutex") writer_and_mutex();
  if (what == "reader_and_mutex") reader_and_mutex();
  if (what == "held_over_fork") held_over_fork();
  if (what == "join_each_other") join_each_other();
  if (what == "hand_off") hand_off();
  if (what == "semaphore_locks") semaphore_locks();
  if (what == "barrier_under_lock") barrier_under_lock();
  if (what == "lost_owner") lost_owner();
  if (what == "file_locks") file_locks();
  if (what == "idle_pool") idle_pool();
  return 0;
}
