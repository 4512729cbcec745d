// All signals, SIGURG among them, taken by signalfd in a loop and by sigwait in a thread, while the
// loop burns CPU and is looked at for that.
#include <sys/signalfd.h>

#include "program.h"

using namespace hostile;

namespace {

void read_all(int fd) {
  signalfd_siginfo info;
  while (read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    say("signalfd: %u from myself %d\n", info.ssi_signo,
        info.ssi_pid == static_cast<uint32_t>(getpid()));
  }
}

struct Waiter {
  sigset_t set;
  Pipe taken;
};

void* wait_for_signals(void* argument) {
  auto* waiter = static_cast<Waiter*>(argument);
  for (;;) {
    int number = 0;
    const int result = sigwait(&waiter->set, &number);
    const unsigned char byte = static_cast<unsigned char>(result == 0 ? number : 255);
    (void)!write(waiter->taken.in(), &byte, 1);
    if (number == SIGTERM) return nullptr;
  }
}

}  // namespace

int main() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  Loop loop;
  loop.warm_up();

  const int fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
  loop.run(4, [&](int i) {
    burn_ms(50);
    read_all(fd);
    kill(getpid(), i % 2 ? SIGURG : SIGUSR1);
    burn_ms(10);
    read_all(fd);
  });
  close(fd);

  Waiter waiter;
  waiter.set = all;
  pthread_t thread;
  pthread_create(&thread, nullptr, wait_for_signals, &waiter);
  loop.run(4, [&](int i) {
    burn_ms(50);
    kill(getpid(), i == 3 ? SIGTERM : SIGURG);
    unsigned char number = 0;
    say("sigwait: read %zd", read(waiter.taken.out(), &number, 1));
    say(" number %d\n", number);
  });
  pthread_join(thread, nullptr);
  say("done\n");
}
