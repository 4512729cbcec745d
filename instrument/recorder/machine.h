// What depends on the CPU: ticks, registers, raw system calls.
#pragma once

#include <stdint.h>
#include <sys/syscall.h>

#include "instrument/contract/record_contract.h"
#include "instrument/recorder/rules.h"

#if !defined(__x86_64__)
#error "port machine.h: ticks, capture_context, raw_syscall, and the assembly in system_call.cc"
#endif

namespace tailback {

// The time stamp counter, not ordered against neighbouring instructions: a call that waits takes
// longer than the CPU may move it.
TAILBACK_INLINE uint64_t read_tsc() {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return static_cast<uint64_t>(high) << 32 | low;
}

// Stores the registers of this point in the calling function, whose frame must stay in place for as
// long as the context is used.
TAILBACK_INLINE void capture_context(contract::Context& context) {
  asm volatile(
      "leaq 0f(%%rip), %%rax\n"
      "0: movq %%rax, 0(%0)\n"
      "movq %%rsp, 8(%0)\n"
      "movq %%rbx, 16(%0)\n"
      "movq %%rbp, 24(%0)\n"
      "movq %%r12, 32(%0)\n"
      "movq %%r13, 40(%0)\n"
      "movq %%r14, 48(%0)\n"
      "movq %%r15, 56(%0)\n"
      :
      : "r"(&context)
      : "rax", "memory");
}

// Returns what the kernel returns: -errno on failure.
TAILBACK_INLINE long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0,
                                 long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

}  // namespace tailback
