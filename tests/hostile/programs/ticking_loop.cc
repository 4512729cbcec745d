// A loop for as long as it is told, whose iterations are long enough to be reported: for the tests
// that kill or stop the observer beneath it.
//   ticking_loop ITERATIONS MICROSECONDS
#include "program.h"

using namespace hostile;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int iterations = atoi(argv[1]);
  const long length = atol(argv[2]);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  Loop loop;
  loop.warm_up();
  bool good = true;
  say("begun\n");
  loop.run(iterations, [&](int i) {
    const int64_t end = now_ns() + length * 1000;
    good &= pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0;
    if (i % 2) {
      const timespec time = {length / 1000000, length % 1000000 * 1000};
      good &= nanosleep(&time, nullptr) == 0;
    } else {
      while (now_ns() < end) churn(1000);
    }
    if (i % 50 == 7) {
      const pid_t child = fork();
      if (child == 0) _exit(20);
      good &= wait_for(child) == 20 << 8;
    }
  });
  verdict("all in order", good);
  say("done\n");
  return 20;
}
