// An event loop with a callback that leaves a call by siglongjmp before it blocks or computes, or
// that computes within a call: left_calls NAME. Each takes 300 ms.

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/targets/inline_system_call.h"
#include "tests/integration/targets/one_long_iteration.h"

namespace {

constexpr timespec kLength{0, 300'000'000};

long result = 0;
volatile uint64_t sink;

// As much of one CPU as a block is long; on a busy machine that takes longer.
[[gnu::always_inline]] inline void churn() {
  timespec end{};
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  const int64_t limit = end.tv_sec * 1'000'000'000 + end.tv_nsec + kLength.tv_nsec;
  do {
    for (int i = 0; i < 10'000'000; ++i) sink = sink * 6364136223846793005u + 1;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while (now.tv_sec * 1'000'000'000 + now.tv_nsec < limit);
}

sigjmp_buf before_the_call;

void leave(int) {
  siglongjmp(before_the_call, 1);
}

// What the thread's last recorded call is, though it is long over.
void leave_a_read() {
  int ends[2];
  if (pipe(ends) != 0) abort();
  signal(SIGALRM, leave);
  itimerval soon{};
  soon.it_value.tv_usec = 10'000;
  if (sigsetjmp(before_the_call, 1) == 0) {
    setitimer(ITIMER_REAL, &soon, nullptr);
    char byte;
    result = read(ends[0], &byte, 1);
  }
}

[[gnu::noinline]] void sleep_after_left_call() {
  leave_a_read();
  // EXPECT stall on="sleep after a left call" cause=sleep call=nanosleep
  // function=sleep_after_left_call
  INLINE_SYSTEM_CALL(result, SYS_nanosleep, &kLength, 0, 0, 0);
}

[[gnu::noinline]] void compute_after_left_call() {
  leave_a_read();
  churn();
}

[[gnu::noinline]] void churn_before_fork() {
  churn();
}

void prepare_fork() {
  pthread_atfork(churn_before_fork, nullptr, nullptr);
}

void compute_within_fork() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
}

void prepare_nothing() {}

constexpr LongIteration kIterations[] = {
    {"leave a call", prepare_nothing, leave_a_read},
    {"sleep after a left call", prepare_nothing, sleep_after_left_call},
    {"compute after a left call", prepare_nothing, compute_after_left_call},
    {"compute within fork", prepare_fork, compute_within_fork},
};

}  // namespace

int main(int argc, char** argv) {
  if (!run_named(argc, argv, kIterations)) return 2;
  return 0;
}
