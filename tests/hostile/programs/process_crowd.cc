// Many processes at once, more than a session has records for: all of them wait, then all of them
// work, and the last are as well off as the first.
//   process_crowd COUNT
#include <vector>

#include "program.h"

using namespace hostile;

namespace {

Pipe gate;
Pipe ready;

int live() {
  char byte = 'r';
  (void)!write(ready.in(), &byte, 1);
  close(gate.in());
  if (read(gate.out(), &byte, 1) != 0) return 1;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const timespec moment = {0, 1000};
  return pthread_mutex_lock(&mutex) + pthread_mutex_unlock(&mutex) + nanosleep(&moment, nullptr) ==
                 0
             ? 23
             : 2;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 100;
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(live());
    if (child < 0) break;
    children.push_back(child);
  }
  for (size_t i = 0; i < children.size(); ++i) {
    char byte;
    (void)!read(ready.out(), &byte, 1);
  }
  say("started %zu\n", children.size());
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(30); });
  close(gate.in());
  int good = 0;
  for (const pid_t child : children) good += wait_for(child) == 23 << 8;
  say("good %d\ndone\n", good);
}
