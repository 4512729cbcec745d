/* Loops and iterations that say of themselves what they are, in C, with the annotation header only:
 * marked NAME. What blocks says so: "blocked PID MILLISECONDS" for time that is to be reported. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "instrument/annotations/tailback.h"

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void sleep_ms(int length) {
  struct timespec time = {length / 1000, (length % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static void block(int length) {
  const double begin = now_ms();
  sleep_ms(length);
  printf("blocked %d %.3f\n", (int)getpid(), now_ms() - begin);
}

/* One call site, however the loops around it are compiled. */
__attribute__((noinline)) static void poll_once(void) {
  poll(NULL, 0, 10);
  __asm__ volatile(""); /* no tail call */
}

/* A loop on epoll, which behaviour shows; each callback is one iteration. */
static int epoll = -1;

__attribute__((noinline)) static void epoll_iteration(void (*callback)(void)) {
  struct epoll_event event;
  epoll_wait(epoll, &event, 1, 5);
  callback();
}

static void nothing(void) {}

static void epoll_loop(void (*callback)(void)) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < 5; ++i) epoll_iteration(nothing);
  epoll_iteration(callback);
  for (int i = 0; i < 5; ++i) epoll_iteration(nothing);
}

/* A poll loop whose iterations are few and mostly long: no loop by its behaviour. */
static void few_iterations(void) {
  for (int i = 0; i < 3; ++i) {
    poll_once();
    block(150 + 50 * i);
  }
  poll_once();
}

static void marked_loop(void) {
  tailback_loop_thread();
  few_iterations();
}

static void named_iterations(void) {
  epoll_loop(nothing);
  for (int i = 0; i < 2; ++i) {
    struct epoll_event event;
    epoll_wait(epoll, &event, 1, 5);
    tailback_iteration_name(
        i == 0 ? "GET /orders"
               : "a name that is far too long for what is kept of them, \xe2\x82\xac 5");
    block(150);
  }
  epoll_iteration(nothing);
  struct epoll_event event;
  epoll_wait(epoll, &event, 1, 5);
  block(150);
  epoll_iteration(nothing);
}

static void not_a_loop(void) {
  tailback_not_loop_thread();
  epoll_loop(nothing);
  epoll_iteration(nothing);
  sleep_ms(150);
  epoll_iteration(nothing);
}

/* A loop that waits for a condition. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void own_wait(void) {
  for (int i = 0; i < 6; ++i) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += (deadline.tv_nsec + 150000000L) / 1000000000L;
    deadline.tv_nsec = (deadline.tv_nsec + 150000000L) % 1000000000L;
    tailback_wait_begin();
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&condition, &mutex, &deadline);
    pthread_mutex_unlock(&mutex);
    tailback_wait_end();
    if (i == 3) block(200);
  }
}

static void allowed_only(void) {
  tailback_allow_blocking_begin();
  sleep_ms(150);
  tailback_allow_blocking_begin();
  sleep_ms(50);
  tailback_allow_blocking_end();
  sleep_ms(50);
  tailback_allow_blocking_end();
}

static void allowed_and_not(void) {
  tailback_allow_blocking_begin();
  sleep_ms(150);
  tailback_allow_blocking_end();
  block(150);
}

/* Hostile uses. */
static jmp_buf before_the_scope;

static void begin_and_leave(void) {
  tailback_allow_blocking_begin();
  longjmp(before_the_scope, 1);
}

static void left_by_longjmp(void) {
  if (setjmp(before_the_scope) == 0) begin_and_leave();
}

static void longjmp_then_block(void) {
  epoll_loop(left_by_longjmp);
  epoll_iteration(nothing);
  struct epoll_event event;
  epoll_wait(epoll, &event, 1, 5);
  block(150);
  epoll_iteration(nothing);
}

static void begin_and_exit(void) {
  tailback_allow_blocking_begin();
  pthread_exit(NULL);
}

static void* exiting_thread(void* argument) {
  epoll_loop(begin_and_exit);
  return argument;
}

static void* blocking_thread(void* argument) {
  epoll_loop(allowed_and_not);
  return argument;
}

static void exit_in_scope(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, exiting_thread, NULL);
  pthread_join(thread, NULL);
  pthread_create(&thread, NULL, blocking_thread, NULL);
  pthread_join(thread, NULL);
}

static void fork_within(void) {
  tailback_allow_blocking_begin();
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    tailback_allow_blocking_end();
    epoll_loop(allowed_and_not);
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  tailback_allow_blocking_end();
}

static void unbalanced(void) {
  for (int i = 0; i < 100; ++i) tailback_allow_blocking_end();
  tailback_wait_end();
  block(150);
}

static void million(void) {
  for (int i = 0; i < 1000000; ++i) tailback_allow_blocking_begin();
  sleep_ms(150);
}

static void million_then_block(void) {
  epoll_loop(million);
  close(epoll);
  epoll_loop(allowed_and_not);
}

static void handler(int signal) {
  (void)signal;
  tailback_iteration_name("named by a handler");
  tailback_allow_blocking_begin();
  tailback_allow_blocking_end();
}

static void in_handler(void) {
  signal(SIGUSR1, handler);
  tailback_allow_blocking_begin();
  raise(SIGUSR1);
  sleep_ms(150);
  tailback_allow_blocking_end();
  block(150);
}

static void without_nul(void) {
  const long page = sysconf(_SC_PAGESIZE);
  char* const memory = (char*)mmap(NULL, (size_t)(2 * page), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(memory + page, (size_t)page, PROT_NONE);
  memset(memory, 'x', (size_t)page);
  tailback_iteration_name(memory + page - 55);
  memory[page - 1] = '\0';
  tailback_iteration_name(memory + page - 4);
  tailback_iteration_name(NULL);
  block(150);
}

struct program {
  const char* name;
  void (*run)(void);
  void (*callback)(void);
};

static const struct program programs[] = {
    {"marked loop", marked_loop, NULL},
    {"few iterations", few_iterations, NULL},
    {"named iterations", named_iterations, NULL},
    {"not a loop", not_a_loop, NULL},
    {"own wait", own_wait, NULL},
    {"allowed only", NULL, allowed_only},
    {"allowed and not", NULL, allowed_and_not},
    {"left by longjmp", longjmp_then_block, NULL},
    {"exit in scope", exit_in_scope, NULL},
    {"fork within", NULL, fork_within},
    {"unbalanced", NULL, unbalanced},
    {"a million", million_then_block, NULL},
    {"in a handler", NULL, in_handler},
    {"without NUL", NULL, without_nul},
};

static const struct program* chosen;

static void* run_chosen(void* argument) {
  if (chosen->run) {
    chosen->run();
  } else {
    epoll_loop(chosen->callback);
  }
  return argument;
}

/* With a second word: in a thread of that name. */
int main(int argc, char** argv) {
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; ++i) {
    if (argc > 1 && strcmp(programs[i].name, argv[1]) == 0) chosen = &programs[i];
  }
  if (!chosen) {
    fprintf(stderr, "marked: there is no such program\n");
    return 2;
  }
  if (argc < 3) {
    run_chosen(NULL);
  } else {
    pthread_setname_np(pthread_self(), argv[2]); /* its threads get the name of who makes them */
    pthread_t thread;
    pthread_create(&thread, NULL, run_chosen, NULL);
    pthread_join(thread, NULL);
  }
  puts("done");
  return 0;
}
