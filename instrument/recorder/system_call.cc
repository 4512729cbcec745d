// syscall(): every system call by number, as Rust's standard library, Go through cgo and others
// make them.
//
// Calls that return twice (fork, vfork, clone, clone3) must not run inside a frame of ours: a vfork
// child would return through it and leave garbage for its parent. The entry point is therefore
// assembly that sends those on at once, with nothing on the stack.
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

// Where the assembly finds the next definition.
extern "C" __attribute__((visibility("hidden"))) long (*tailback_next_syscall())(long, ...) {
  return reinterpret_cast<long (*)(long, ...)>(next.syscall);
}

static_assert(SYS_clone == 56 && SYS_fork == 57 && SYS_vfork == 58 && SYS_clone3 == 435);

asm(R"(
    .text
    .globl syscall
    .type syscall, @function
    .p2align 4
syscall:
    .cfi_startproc
    endbr64
    cmpq $435, %rdi
    je 1f
    leaq -56(%rdi), %rax
    cmpq $2, %rax
    ja tailback_recorded_syscall
1:
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    pushq %r8
    .cfi_adjust_cfa_offset 8
    pushq %r9
    .cfi_adjust_cfa_offset 8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call tailback_next_syscall
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %r9
    .cfi_adjust_cfa_offset -8
    popq %r8
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    popq %rdx
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    jmp *%rax
    .cfi_endproc
    .size syscall, .-syscall
)");
