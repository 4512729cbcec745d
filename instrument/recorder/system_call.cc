// syscall(): system calls by number, as Rust's standard library, Go through cgo and others make
// them.
//
// Calls that return twice (fork, vfork, clone, clone3) must not run inside a frame of the
// recorder's: a vfork child would return through it and leave garbage for its parent. So the entry
// point is assembly that jumps on for those at once, with nothing on the stack.
#include <stddef.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/restrictions.h"
#include "instrument/recorder/wait_sites.h"

using namespace tailback;

namespace {

// The libc function as which an event wait by number is recorded: the arguments are the same.
TAILBACK_INLINE Function event_wait_of(long number) {
  switch (number) {
    case SYS_epoll_wait:
      return Function::epoll_wait;
    case SYS_epoll_pwait:
      return Function::epoll_pwait;
    case SYS_epoll_pwait2:
      return Function::epoll_pwait2;
    case SYS_poll:
      return Function::poll;
    case SYS_ppoll:
      return Function::ppoll;
    case SYS_select:
      return Function::select;
    case SYS_pselect6:
      return Function::pselect;
    case SYS_io_uring_enter:
      return Function::io_uring_enter;
    default:
      return Function::kNone;
  }
}

bool names_descriptor(Function wait) {
  return wait == Function::epoll_wait || wait == Function::epoll_pwait ||
         wait == Function::epoll_pwait2 || wait == Function::io_uring_enter;
}

// Whether a call of io_uring_enter waits for completions.
bool may_wait(Function wait, long least, long flags) {
  constexpr long kGetEvents = 1;  // IORING_ENTER_GETEVENTS
  return wait != Function::io_uring_enter || (least > 0 && (flags & kGetEvents) != 0);
}

// A wait that a pause has ended is made again unchanged: a relative timeout begins again, unless
// the kernel has corrected it. A pause arrives on the way in, when next to nothing of the timeout
// is over.
__attribute__((noinline)) long wait_for_events(uint64_t call_site, uint64_t frame, Function wait,
                                               long number, long a, long b, long c, long d, long e,
                                               long f) {
  CallScope scope(call_site, wait, a, b, c, d, e);
  IterationBoundary boundary;
  if (may_wait(wait, c, d)) {
    const uint64_t key = names_descriptor(wait) ? descriptor_wait_key(static_cast<int>(a))
                                                : contract::call_site_key(call_site);
    boundary.enter(scope, wait, key, call_site, frame);
  }
  long result = next.syscall(number, a, b, c, d, e, f);
  while (__builtin_expect(scope.interrupted_by_pause(result), 0)) {
    result = next.syscall(number, a, b, c, d, e, f);
  }
  boundary.leave(scope, wait == Function::io_uring_enter ? 0 : static_cast<int>(result));
  return result;
}

bool makes_instance(long number) {
  return number == SYS_epoll_create || number == SYS_epoll_create1 || number == SYS_io_uring_setup;
}

}  // namespace

extern "C" __attribute__((visibility("hidden"))) long tailback_recorded_syscall(long number, long a,
                                                                                long b, long c,
                                                                                long d, long e,
                                                                                long f) {
  if (const Restriction restriction = restriction_of(number, a, b);
      __builtin_expect(restriction != Restriction::kNone, 0)) {
    return under_restriction(restriction, [&] { return next.syscall(number, a, b, c, d, e, f); });
  }
  if (const Function wait = event_wait_of(number); wait != Function::kNone) {
    return wait_for_events(CALL_SITE, FRAME, wait, number, a, b, c, d, e, f);
  }
  CallScope scope(CALL_SITE, Function::syscall, number, a, b, c, d, e);
  long result = next.syscall(number, a, b, c, d, e, f);
  // A relative timeout begins again: a pause arrives on the way in, when next to nothing of it is
  // over. connect() goes on by itself and must not be made again.
  while (__builtin_expect(scope.interrupted_by_pause(result), 0) && number != SYS_connect) {
    result = next.syscall(number, a, b, c, d, e, f);
  }
  if (__builtin_expect(makes_instance(number), 0)) count_new_descriptor(static_cast<int>(result));
  return result;
}

static_assert(SYS_clone == 56 && SYS_fork == 57 && SYS_vfork == 58 && SYS_clone3 == 435);

TAILBACK_EXPORT __attribute__((naked)) long syscall(long, ...) noexcept {
  asm volatile(
      "endbr64\n"
      "cmpq $435, %%rdi\n"
      "je 1f\n"
      "leaq -56(%%rdi), %%rax\n"
      "cmpq $2, %%rax\n"
      "ja tailback_recorded_syscall\n"
      "1: jmp *tailback_next_definitions + %c0(%%rip)\n"
      :
      : "i"(offsetof(NextDefinitions, syscall)));
}
