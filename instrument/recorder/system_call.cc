// syscall(): every system call by number, as Rust's standard library, Go through cgo and others
// make them.
//
// Calls that return twice (fork, vfork, clone, clone3) must not run inside a frame of ours: a vfork
// child would return through it and leave garbage for its parent. The entry point is therefore
// assembly that sends those on at once, with nothing on the stack.
#include <stddef.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/restrictions.h"

using namespace tailback;

extern "C" __attribute__((visibility("hidden"))) long tailback_recorded_syscall(long number, long a,
                                                                                long b, long c,
                                                                                long d, long e,
                                                                                long f) {
  if (const Restriction restriction = restriction_of(number, a, b);
      __builtin_expect(restriction != Restriction::kNone, 0)) {
    return under_restriction(restriction, [&] { return next.syscall(number, a, b, c, d, e, f); });
  }
  CallScope scope(CALL_SITE, Function::syscall, number, a, b, c, d, e);
  long result = next.syscall(number, a, b, c, d, e, f);
  // A relative timeout begins anew: a hold hits on the way in, when next to nothing of it is over.
  // connect() goes on by itself and must not be made again.
  while (__builtin_expect(scope.interrupted_by_hold(result), 0) && number != SYS_connect) {
    result = next.syscall(number, a, b, c, d, e, f);
  }
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
