// A program with a use of its own for SIGURG, installed in each of the ways that libc knows. It
// counts exactly what it sends itself, while its loop burns CPU.
#include "program.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

using namespace hostile;

namespace {

std::atomic<int> counted{0};
void count(int) {
  ++counted;
}
void count_with_info(int, siginfo_t* info, void*) {
  counted += info->si_pid == getpid() ? 1 : 1000;
}

void by_sigaction() {
  handle(SIGURG, count, SA_RESTART);
}
void by_siginfo() {
  struct sigaction action {};
  action.sa_sigaction = count_with_info;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGURG, &action, nullptr);
}
void by_signal() {
  say("signal gave the default: %d\n", signal(SIGURG, count) == SIG_DFL);
}
void by_sysv_signal() {
  // Of one use: the first signal counts, then the default is back.
  say("sysv_signal gave the default: %d\n", sysv_signal(SIGURG, count) == SIG_DFL);
}
void by_sigset() {
  say("sigset gave the default: %d\n", sigset(SIGURG, count) == SIG_DFL);
}

void use(const char* name, void (*install)(), int expected) {
  say("%s\n", name);
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(30); });
  counted = 0;
  install();
  loop.run(5, [](int) {
    burn_ms(30);
    raise(SIGURG);
  });
  say("counted %d\n", counted.load());
  verdict("as many as were sent", counted == expected);
  struct sigaction current;
  sigaction(SIGURG, nullptr, &current);
  verdict("its handler stands",
          expected == 1 ? current.sa_handler == SIG_DFL
                        : current.sa_handler == count || current.sa_sigaction == count_with_info);
  signal(SIGURG, SIG_DFL);
}

// Each in a process of its own, since who once took the signal keeps it.
void in_child(const char* name, void (*install)(), int expected) {
  const pid_t child = fork();
  if (child == 0) {
    use(name, install, expected);
    _exit(0);
  }
  say_ending(name, wait_for(child));
}

}  // namespace

int main() {
  in_child("sigaction", by_sigaction, 5);
  in_child("siginfo", by_siginfo, 5);
  in_child("signal", by_signal, 5);
  in_child("sigset", by_sigset, 5);
  in_child("sysv_signal", by_sysv_signal, 1);
  raise(SIGURG);
  use("at last", by_sigaction, 5);
  say("done\n");
}
