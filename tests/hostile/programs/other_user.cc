// Gives root away for good, then forks, starts threads and executes. Needs root.
#include <grp.h>
#include <sys/prctl.h>

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

int main(int argc, char** argv) {
  if (argc > 1) {
    work(nullptr);
    say("executed as %d:%d\n", static_cast<int>(getuid()), static_cast<int>(getegid()));
    return 11;
  }
  work(nullptr);
  say("setgroups %d", setgroups(0, nullptr));
  say(" setgid %d", setresgid(65534, 65534, 65534));
  say(" setuid %d", setresuid(65534, 65534, 65534));
  say(" no new privileges %d\n", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  work(nullptr);
  pthread_t thread;
  pthread_create(&thread, nullptr, work, nullptr);
  pthread_join(thread, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    pthread_create(&thread, nullptr, work, nullptr);
    pthread_join(thread, nullptr);
    say("child is %d\n", static_cast<int>(geteuid()));
    _exit(10);
  }
  say_ending("child", wait_for(child));
  const pid_t executed = fork();
  if (executed == 0) {
    execl("/proc/self/exe", argv[0], "executed", static_cast<char*>(nullptr));
    _exit(127);
  }
  say_ending("executed", wait_for(executed));
  say("back to root: %d\ndone\n", setuid(0));
}
