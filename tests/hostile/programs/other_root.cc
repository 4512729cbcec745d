// chroot into an empty directory, then everything that a server does. Needs root.
#include <sys/stat.h>

#include "program.h"

using namespace hostile;

namespace {

void* work(void*) {
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(25); });
  return nullptr;
}

}  // namespace

int main() {
  mkdir("empty", 0755);
  say("chroot %d", chroot("empty"));
  say(" chdir %d\n", chdir("/"));
  pthread_t thread;
  say("thread %d\n", pthread_create(&thread, nullptr, work, nullptr));
  work(nullptr);
  pthread_join(thread, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    work(nullptr);
    say("proc is there: %d\n", access("/proc/self", F_OK) == 0);
    _exit(9);
  }
  say_ending("child", wait_for(child));
  say("done\n");
}
