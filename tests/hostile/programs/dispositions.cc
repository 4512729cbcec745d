// What the program is told about its signals: all are as it left them.
#include <sys/resource.h>

#include "program.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

using namespace hostile;

namespace {

const char* name_of(void (*handler)(int)) {
  return handler == SIG_DFL ? "default" : handler == SIG_IGN ? "ignored" : "a handler";
}

void say_one(int number) {
  struct sigaction action;
  memset(&action, 0x5a, sizeof action);
  if (sigaction(number, nullptr, &action) != 0) {
    say("%d: errno %d\n", number, errno);
    return;
  }
  int masked = 0;
  for (int other = 1; other < 65; ++other) masked += sigismember(&action.sa_mask, other) == 1;
  say("%d: %s flags %x mask %d\n", number, name_of(action.sa_handler),
      static_cast<unsigned>(action.sa_flags), masked);
}

void urgent() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  action.sa_flags = SA_RESTART | SA_NODEFER;
  sigaddset(&action.sa_mask, SIGUSR1);
  say("set the default: %d\n", sigaction(SIGURG, &action, nullptr));
  say_one(SIGURG);
  struct sigaction old;
  memset(&old, 0x5a, sizeof old);
  action.sa_handler = SIG_IGN;
  say("ignore: %d", sigaction(SIGURG, &action, &old));
  say(" was %s flags %x\n", name_of(old.sa_handler), static_cast<unsigned>(old.sa_flags));
  say_one(SIGURG);
  say("signal: was %s\n", name_of(signal(SIGURG, SIG_DFL)));
  say("signal: was %s\n", name_of(signal(SIGURG, SIG_DFL)));
  say_one(SIGURG);
}

void by_other_names(const char* how) {
  const pid_t child = fork();
  if (child == 0) {
    const auto handler = [](int) {};
    if (!strcmp(how, "signal")) say("%s: %s\n", how, name_of(signal(SIGURG, handler)));
    if (!strcmp(how, "sysv_signal")) say("%s: %s\n", how, name_of(sysv_signal(SIGURG, handler)));
    if (!strcmp(how, "ssignal")) say("%s: %s\n", how, name_of(ssignal(SIGURG, handler)));
    if (!strcmp(how, "sigset")) say("%s: %s\n", how, name_of(sigset(SIGURG, handler)));
    if (!strcmp(how, "sigset hold")) say("%s: %s\n", how, name_of(sigset(SIGURG, SIG_HOLD)));
    if (!strcmp(how, "sigignore")) say("%s: %d\n", how, sigignore(SIGURG));
    if (!strcmp(how, "siginterrupt")) say("%s: %d\n", how, siginterrupt(SIGURG, 1));
    if (!strcmp(how, "signal error")) say("%s: %d\n", how, signal(SIGURG, SIG_ERR) == SIG_ERR);
    say_one(SIGURG);
    say("afterwards: %s\n", name_of(signal(SIGURG, SIG_DFL)));
    _exit(0);
  }
  wait_for(child);
}

}  // namespace

int main(int argc, char** argv) {
  for (int number = 0; number < 66; ++number) say_one(number);
  if (argc > 1) {
    say("done\n");
    return 0;
  }
  for (const char* how : {"signal", "sysv_signal", "ssignal", "sigset", "sigset hold", "sigignore",
                          "siginterrupt", "signal error"}) {
    by_other_names(how);
  }
  urgent();
  // What a program that it executes inherits: handlers don't stay, ignoring does.
  for (const bool ignore : {false, true}) {
    const pid_t child = fork();
    if (child == 0) {
      if (ignore) signal(SIGURG, SIG_IGN);
      signal(SIGUSR2, SIG_IGN);
      execl("/proc/self/exe", argv[0], "inherited", static_cast<char*>(nullptr));
      _exit(127);
    }
    say_ending("executed", wait_for(child));
  }
  say("done\n");
}
