// siglongjmp out of blocking calls, from a signal handler, again and again.
#include <poll.h>
#include <setjmp.h>

#include "program.h"

using namespace hostile;

namespace {

sigjmp_buf back;

void jump(int) {
  siglongjmp(back, 1);
}

// From deeper stacks too: what is left behind lies at all depths.
__attribute__((noinline)) void call_at_depth(int depth, void (*call)()) {
  volatile char room[256];
  room[0] = static_cast<char>(depth);
  if (depth == 0) {
    call();
  } else {
    call_at_depth(depth - 1, call);
  }
  room[1] = room[0];
}

Pipe silent;

void read_for_ever() {
  char byte;
  for (;;) (void)!read(silent.out(), &byte, 1);
}
void sleep_for_ever() {
  const timespec long_time = {100, 0};
  for (;;) nanosleep(&long_time, nullptr);
}
void poll_for_ever() {
  for (;;) poll(nullptr, 0, -1);
}
void epoll_for_ever() {
  static const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event;
  for (;;) epoll_wait(epoll, &event, 1, -1);
}

void jump_out_of(const char* name, void (*call)(), int times) {
  volatile int jumps = 0;
  volatile int i = 0;
  while (i < times) {
    if (sigsetjmp(back, 1) == 0) {
      const itimerval once = {{0, 0}, {0, 700}};
      setitimer(ITIMER_REAL, &once, nullptr);
      call_at_depth(i % 8, call);
    } else {
      jumps = jumps + 1;
    }
    i = i + 1;
  }
  Pipe working;
  char byte = 'a';
  (void)!write(working.in(), &byte, 1);
  say("%s: %d jumps, then read %zd\n", name, static_cast<int>(jumps),
      read(working.out(), &byte, 1));
  close(working.in());
  close(working.out());
}

}  // namespace

int main() {
  handle(SIGALRM, jump, 0);
  jump_out_of("read", read_for_ever, 100);
  jump_out_of("nanosleep", sleep_for_ever, 100);
  jump_out_of("poll", poll_for_ever, 100);
  jump_out_of("epoll_wait", epoll_for_ever, 100);
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int i) {
    burn_ms(30);
    jump_out_of("read in a loop", read_for_ever, 10 + i);
  });
  say("done\n");
}
