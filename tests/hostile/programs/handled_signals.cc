// Handlers of its own for every signal that can have one, all of which come while a loop burns CPU
// and while it waits: each is handled once, in the thread it was sent to, with what it was sent.
#include <setjmp.h>
#include <sys/mman.h>

#include "program.h"

using namespace hostile;

namespace {

volatile sig_atomic_t counts[65];
volatile sig_atomic_t codes[65];
volatile sig_atomic_t elsewhere = 0;
pthread_t main_thread;
Pipe pipes;

void on_any(int number, siginfo_t* info, void*) {
  const int error = errno;
  counts[number] = counts[number] + 1;
  codes[number] = info->si_code;
  if (!pthread_equal(pthread_self(), main_thread)) elsewhere = elsewhere + 1;
  // Calls that the recorder knows, from within whatever was interrupted.
  char byte = 'h';
  (void)!write(pipes.in(), &byte, 1);
  (void)!read(pipes.out(), &byte, 1);
  const timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
  errno = error;
}

bool can_be_handled(int number) {
  return number != SIGKILL && number != SIGSTOP && (number < 32 || number >= SIGRTMIN);
}

void say_counts(const char* when) {
  say("%s:", when);
  for (int number = 1; number < 65; ++number) {
    if (counts[number])
      say(" %d*%d(%d)", number, static_cast<int>(counts[number]), static_cast<int>(codes[number]));
    counts[number] = 0;
  }
  say(" elsewhere %d\n", static_cast<int>(elsewhere));
}

// Faults of its own, which it recovers from.
sigjmp_buf back;
void on_fault(int number, siginfo_t* info, void*) {
  codes[number] = info->si_code;
  siglongjmp(back, number);
}
void fault() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) {
    sigaction(number, &action, nullptr);
  }
  auto* page = static_cast<volatile char*>(
      mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  volatile int zero = 0;
  volatile int seven = 7;
  volatile int which = 0;
  while (which < 4) {
    const int number = sigsetjmp(back, 1);
    if (number) {
      say("fault: signal %d code %d\n", number, static_cast<int>(codes[number]));
      which = which + 1;
      continue;
    }
    burn_ms(10);
    if (which == 0) (void)*page;
    if (which == 1) seven = seven / zero;
    if (which == 2) asm volatile("ud2");
    if (which == 3) asm volatile("int3");
  }
}

}  // namespace

int main() {
  main_thread = pthread_self();
  struct sigaction action {};
  action.sa_sigaction = on_any;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigfillset(&action.sa_mask);
  int refused = 0;
  for (int number = 1; number < 65; ++number) {
    refused += sigaction(number, &action, nullptr) != 0;
  }
  say("refused %d\n", refused);
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(40); });
  say_counts("nothing was sent");
  // Burning.
  loop.run(3, [](int i) {
    burn_ms(20);
    for (int number = 1; number < 65; ++number) {
      if (!can_be_handled(number)) continue;
      sigval value;
      value.sival_int = number;
      if (i == 0) raise(number);
      if (i == 1) sigqueue(getpid(), number, value);
      if (i == 2) pthread_kill(main_thread, number);
    }
    burn_ms(20);
  });
  say_counts("burning");
  // Waiting, for a child that sends them all.
  Pipe told;
  const pid_t child = fork();
  if (child == 0) {
    const pid_t parent = getppid();
    until_asleep(parent);
    for (int number = 1; number < 65; ++number) {
      // SIGCONT would be taken back by the stops that follow it.
      if (can_be_handled(number) && number != SIGCHLD && number != SIGCONT) kill(parent, number);
    }
    (void)!write(told.in(), "t", 1);
    _exit(9);
  }
  char byte;
  say("read %zd\n", read(told.out(), &byte, 1));
  say_ending("child", wait_for(child));
  while (counts[SIGCHLD] == 0) usleep(100);
  say_counts("waiting");
  fault();
  say("done\n");
}
