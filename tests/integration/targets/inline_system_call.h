// A system call made on the spot, with no function of the C library in between. It is a macro so
// that the instruction stands in the line that names it.
#pragma once

#include <sys/syscall.h>

#define INLINE_SYSTEM_CALL(result, number, a, b, c, d)                                   \
  do {                                                                                   \
    register long r10 asm("r10") = (long)(d);                                            \
    asm volatile("syscall"                                                               \
                 : "=a"(result)                                                          \
                 : "a"(number), "D"((long)(a)), "S"((long)(b)), "d"((long)(c)), "r"(r10) \
                 : "rcx", "r11", "memory");                                              \
  } while (false)
