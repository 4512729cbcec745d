// fork from a program of many busy threads, three levels deep; children start threads of their own
// and burn CPU in loops.
#include <poll.h>

#include "program.h"

using namespace hostile;

namespace {

std::atomic<bool> over{false};
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
int handled_forks[3] = {0, 0, 0};

void* keep_busy(void*) {
  Pipe working;
  char byte = 'a';
  while (!over) {
    pthread_mutex_lock(&mutex);
    (void)!write(working.in(), &byte, 1);
    pthread_mutex_unlock(&mutex);
    (void)!read(working.out(), &byte, 1);
    poll(nullptr, 0, 1);
  }
  return nullptr;
}

// Makes calls in the middle of a fork.
void before_fork() {
  pthread_mutex_lock(&mutex);
  poll(nullptr, 0, 0);
  ++handled_forks[0];
}
void after_fork_in_parent() {
  pthread_mutex_unlock(&mutex);
  ++handled_forks[1];
}
void after_fork_in_child() {
  poll(nullptr, 0, 0);
  pthread_mutex_unlock(&mutex);
  ++handled_forks[2];
}

void work(int level);

void* fork_in_thread(void* level) {
  work(*static_cast<int*>(level));
  return nullptr;
}

void live(int level) {
  over = false;
  pthread_t threads[3];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, keep_busy, nullptr);
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(25); });
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      say("level %d child %d: forks %d %d %d\n", level, i, handled_forks[0], handled_forks[1],
          handled_forks[2]);
      int next = level + 1;
      pthread_t thread;
      pthread_create(&thread, nullptr, fork_in_thread, &next);
      pthread_join(thread, nullptr);
      _exit(10 * level + i);
    }
    say_ending("child", wait_for(child));
  }
  over = true;
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

void work(int level) {
  if (level < 3) live(level);
}

}  // namespace

int main() {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  work(0);
  say("forks %d %d %d\n", handled_forks[0], handled_forks[1], handled_forks[2]);
  say("done\n");
}
