// Threads cancelled inside the calls that programs usually wait in.
#include <poll.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "cancelled_thread.h"

using namespace hostile;

namespace {

Pipe silent;
int silent_socket = -1;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
sem_t semaphore;
pthread_t main_thread;

void in_read() {
  char byte;
  (void)!read(silent.out(), &byte, 1);
}
void in_nanosleep() {
  const timespec long_time = {100, 0};
  nanosleep(&long_time, nullptr);
}
void in_clock_nanosleep() {
  const timespec long_time = {100, 0};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, nullptr);
}
void in_sleep() {
  sleep(100);
}
void unlock(void*) {
  pthread_mutex_unlock(&mutex);
}
void in_condition() {
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, nullptr);
  for (;;) pthread_cond_wait(&condition, &mutex);
  pthread_cleanup_pop(1);
}
void in_timed_condition() {
  const timespec deadline = deadline_in_ms(CLOCK_REALTIME, 100000);
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, nullptr);
  while (pthread_cond_timedwait(&condition, &mutex, &deadline) == 0) {
  }
  pthread_cleanup_pop(1);
}
void in_semaphore() {
  sem_wait(&semaphore);
}
void in_poll() {
  poll(nullptr, 0, -1);
}
void in_select() {
  select(0, nullptr, nullptr, nullptr, nullptr);
}
void in_epoll() {
  epoll_event event;
  epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, -1);
}
void in_recv() {
  char byte;
  recv(silent_socket, &byte, 1, 0);
}
void in_join() {
  pthread_join(main_thread, nullptr);
}
void in_waitpid() {
  waitpid(-1, nullptr, 0);
}

constexpr CancelledCall kCalls[] = {
    {"read", in_read, true},
    {"nanosleep", in_nanosleep, true},
    {"clock_nanosleep", in_clock_nanosleep, true},
    {"sleep", in_sleep, true},
    {"cond_wait", in_condition, false},
    {"cond_timedwait", in_timed_condition, false},
    {"sem_wait", in_semaphore, true},
    {"poll", in_poll, true},
    {"select", in_select, true},
    {"epoll_wait", in_epoll, true},
    {"recv", in_recv, true},
    {"join", in_join, false},
    {"waitpid", in_waitpid, false},
};

// sem_wait is a point of cancellation also when it need not wait; a mutex is none ever.
void* take_freely(void*) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  pthread_cancel(pthread_self());
  sem_t free_semaphore;
  sem_init(&free_semaphore, 0, 2);
  sem_wait(&free_semaphore);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  say("a mutex is taken\n");
  sem_wait(&free_semaphore);
  say("a semaphore is taken\n");
  return nullptr;
}

}  // namespace

int main() {
  main_thread = pthread_self();
  sem_init(&semaphore, 0, 0);
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  silent_socket = ends[0];
  Pipe child_ends;
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    close(child_ends.in());
    _exit(read(child_ends.out(), &byte, 1) == 0 ? 4 : 1);
  }
  for (const CancelledCall& call : kCalls) {
    cancel_both_ways(call, "at once", at_once);
    cancel_both_ways(call, "later", [](pid_t) { usleep(3000); });
  }
  pthread_t thread;
  void* result = nullptr;
  pthread_create(&thread, nullptr, take_freely, nullptr);
  pthread_join(thread, &result);
  say("canceled %d\n", result == PTHREAD_CANCELED);
  // The calls work as before.
  sem_post(&semaphore);
  say("sem_wait %d lock %d unlock %d\n", sem_wait(&semaphore), pthread_mutex_lock(&mutex),
      pthread_mutex_unlock(&mutex));
  close(child_ends.in());
  say_ending("child", wait_for(child));
  say("done\n");
}
