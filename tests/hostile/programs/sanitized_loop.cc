// An epoll loop with workers behind a mutex, built with a sanitizer.
//   sanitized_loop safe | race | order
// `safe` is correct; `race` leaves the lock out; `order` takes two locks in both orders.
#include <mutex>
#include <thread>
#include <vector>

#include "program.h"

using namespace hostile;

namespace {

std::mutex first;
std::mutex second;
pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
long shared = 0;
int ready = 0;

void count(bool with_lock) {
  for (int i = 0; i < 1000; ++i) {
    if (with_lock) pthread_mutex_lock(&plain);
    ++shared;
    if (with_lock) pthread_mutex_unlock(&plain);
  }
  pthread_mutex_lock(&plain);
  ++ready;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&plain);
}

void take_both(std::mutex& a, std::mutex& b) {
  const std::lock_guard outer(a);
  const std::lock_guard inner(b);
}

}  // namespace

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "safe";
  const bool race = !strcmp(mode, "race");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([race] { count(!race); });
  pthread_mutex_lock(&plain);
  while (ready < 4) pthread_cond_wait(&condition, &plain);
  pthread_mutex_unlock(&plain);
  for (std::thread& thread : threads) thread.join();
  if (!race) say("counted %ld\n", shared);
  std::thread([] { take_both(first, second); }).join();
  if (!strcmp(mode, "order")) std::thread([] { take_both(second, first); }).join();

  // A hand-off through a pipe orders what is on both sides of it.
  Pipe hand_off;
  long handed = 0;
  std::thread giver([&] {
    handed = 5;
    (void)!write(hand_off.in(), "x", 1);
  });
  char byte;
  (void)!read(hand_off.out(), &byte, 1);
  say("handed %ld\n", handed);
  giver.join();
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(30); });
  // A deadline on a mutex that is held is kept.
  pthread_mutex_lock(&plain);
  std::thread([] {
    const timespec soon = deadline_in_ms(CLOCK_REALTIME, 5);
    say("timed %d\n", pthread_mutex_timedlock(&plain, &soon));
  }).join();
  pthread_mutex_unlock(&plain);
  const pid_t child = fork();
  if (child == 0) _exit(21);
  say_ending("child", wait_for(child));
  say("done\n");
}
