// Enters seccomp's strict mode, in which anything but read, write, exit and the return from a
// signal kills, and the time stamp counter may be out of reach.
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "program.h"

using namespace hostile;

int main(int argc, char**) {
  Pipe working;
  Loop loop;
  loop.warm_up();
  char byte = 'a';
  if (argc > 1) {
    say("by prctl as a plain system call\n");
    if (syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0) return 1;
  } else if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
    return 1;
  }
  for (int i = 0; i < 3; ++i) {
    (void)!write(working.in(), &byte, 1);
    (void)!read(working.out(), &byte, 1);
    volatile uint64_t sink = churn(10000000);
    (void)sink;
  }
  say("strict\ndone\n");
  syscall(SYS_exit, 14);
}
