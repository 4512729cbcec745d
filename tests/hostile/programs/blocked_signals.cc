// A program that blocks all signals and takes them when it likes.
#include <sys/signalfd.h>

#include "program.h"

using namespace hostile;

namespace {

void say_pending(const char* when) {
  sigset_t pending;
  sigpending(&pending);
  say("%s, pending:", when);
  for (int number = 1; number < 65; ++number) {
    if (sigismember(&pending, number) == 1) say(" %d", number);
  }
  say("\n");
}

void say_blocked() {
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  int count = 0;
  for (int number = 1; number < 65; ++number) count += sigismember(&blocked, number) == 1;
  say("blocked: %d\n", count);
}

void* in_thread(void* loop) {
  say_blocked();
  static_cast<Loop*>(loop)->run(3, [](int) { burn_ms(40); });
  say_pending("in a thread");
  return nullptr;
}

}  // namespace

int main() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  say_blocked();
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(40); });
  say_pending("after a loop");
  for (const int number : {SIGURG, SIGUSR1, SIGTERM, SIGCHLD, SIGRTMIN + 3}) {
    kill(getpid(), number);
  }
  loop.run(2, [](int) { burn_ms(40); });
  say_pending("after being signalled");
  const pid_t child = fork();
  if (child == 0) {
    say_blocked();
    say_pending("in a child");
    loop.run(2, [](int) { burn_ms(40); });
    say_pending("in a child, later");
    _exit(5);
  }
  say_ending("child", wait_for(child));
  const timespec none = {0, 0};
  siginfo_t info;
  int number;
  while ((number = sigtimedwait(&all, &info, &none)) > 0) {
    say("taken: %d code %d from myself %d\n", number, info.si_code,
        info.si_pid == (number == SIGCHLD && info.si_code > 0 ? child : getpid()));
  }
  pthread_t thread;
  pthread_create(&thread, nullptr, in_thread, &loop);
  pthread_join(thread, nullptr);
  say("done\n");
}
