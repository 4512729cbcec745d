// Signals taken on an alternate stack, in a loop that burns CPU.
#include <poll.h>

#include "program.h"

using namespace hostile;

namespace {

char stack[32768];
Pipe working;
int on_stack = 0;
int elsewhere = 0;

void handler(int) {
  char here;
  (&here >= stack && &here < stack + sizeof stack ? on_stack : elsewhere)++;
  char byte = 'a';
  (void)!write(working.in(), &byte, 1);
  poll(nullptr, 0, 1);
  (void)!read(working.out(), &byte, 1);
}

void say_stack(const char* when) {
  stack_t current;
  sigaltstack(nullptr, &current);
  say("%s: ours %d flags %d size %zu\n", when, current.ss_sp == stack, current.ss_flags,
      current.ss_size);
}

}  // namespace

int main() {
  say_stack("at first");
  stack_t mine{};
  mine.ss_sp = stack;
  mine.ss_size = sizeof stack;
  say("sigaltstack %d\n", sigaltstack(&mine, nullptr));
  handle(SIGUSR1, handler, SA_ONSTACK | SA_RESTART);
  handle(SIGUSR2, handler, SA_RESTART);
  Loop loop;
  loop.warm_up();
  loop.run(5, [](int) {
    burn_ms(30);
    raise(SIGUSR1);
    raise(SIGUSR2);
    raise(SIGURG);
  });
  say("on the stack %d elsewhere %d\n", on_stack, elsewhere);
  say_stack("at last");
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  say("sigaltstack %d\n", sigaltstack(&none, nullptr));
  say_stack("disabled");
  say("done\n");
}
