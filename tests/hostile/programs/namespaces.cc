// Moves into namespaces of its own: its children count their processes from 1.
#include <sched.h>
#include <sys/mount.h>

#include "program.h"

using namespace hostile;

namespace {

void* work(void*) {
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(25); });
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    work(nullptr);
    say("executed as process %d\n", getpid());
    return 13;
  }
  say("unshare %d\n", unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC));
  work(nullptr);
  const pid_t first = fork();
  if (first == 0) {
    say("first is %d", getpid());
    say(" child of %d", getppid());
    say(" mount %d\n",
        mount("proc", "/proc", "proc", 0, nullptr) == 0 || errno == EPERM || errno == EINVAL);
    pthread_t thread;
    pthread_create(&thread, nullptr, work, nullptr);
    work(nullptr);
    pthread_join(thread, nullptr);
    const pid_t second = fork();
    if (second == 0) {
      say("second is %d\n", getpid());
      work(nullptr);
      execl("/proc/self/exe", argv[0], "executed", static_cast<char*>(nullptr));
      _exit(127);
    }
    const int status = wait_for(second);
    say("executed or not found: %d\n", WEXITSTATUS(status) == 13 || WEXITSTATUS(status) == 127);
    _exit(12);
  }
  say_ending("first", wait_for(first));
  say("done\n");
}
