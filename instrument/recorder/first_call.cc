#include "instrument/recorder/first_call.h"

namespace tailback {
namespace {

static_assert(kFirstCallStubSize == 16);

// The stubs, the code that they share, and `next` itself. In a function, which nothing calls, only
// because that passes the number of stubs to the assembler.
[[gnu::used, gnu::naked]] void first_calls() {
  asm volatile(
      ".hidden tailback_first_call_stubs\n"
      ".globl tailback_first_call_stubs\n"
      ".p2align 4\n"
      "tailback_first_call_stubs:\n"
      ".set tailback_index, 0\n"
      ".rept %c0\n"
      "  endbr64\n"
      "  pushq $tailback_index\n"
      "  jmp tailback_resolve_and_go_on\n"
      "  .p2align 4\n"
      "  .set tailback_index, tailback_index + 1\n"
      ".endr\n"
      // Save every register that may hold an argument; al tells a variadic function how many of
      // them are floating.
      "tailback_resolve_and_go_on:\n"
      "  pushq %%rdi\n"
      "  pushq %%rsi\n"
      "  pushq %%rdx\n"
      "  pushq %%rcx\n"
      "  pushq %%r8\n"
      "  pushq %%r9\n"
      "  pushq %%rax\n"
      "  subq $136, %%rsp\n"
      "  movups %%xmm0, (%%rsp)\n"
      "  movups %%xmm1, 16(%%rsp)\n"
      "  movups %%xmm2, 32(%%rsp)\n"
      "  movups %%xmm3, 48(%%rsp)\n"
      "  movups %%xmm4, 64(%%rsp)\n"
      "  movups %%xmm5, 80(%%rsp)\n"
      "  movups %%xmm6, 96(%%rsp)\n"
      "  movups %%xmm7, 112(%%rsp)\n"
      "  movl 192(%%rsp), %%edi\n"
      "  call tailback_first_call\n"
      "  movq %%rax, %%r11\n"
      "  movups (%%rsp), %%xmm0\n"
      "  movups 16(%%rsp), %%xmm1\n"
      "  movups 32(%%rsp), %%xmm2\n"
      "  movups 48(%%rsp), %%xmm3\n"
      "  movups 64(%%rsp), %%xmm4\n"
      "  movups 80(%%rsp), %%xmm5\n"
      "  movups 96(%%rsp), %%xmm6\n"
      "  movups 112(%%rsp), %%xmm7\n"
      "  addq $136, %%rsp\n"
      "  popq %%rax\n"
      "  popq %%r9\n"
      "  popq %%r8\n"
      "  popq %%rcx\n"
      "  popq %%rdx\n"
      "  popq %%rsi\n"
      "  popq %%rdi\n"
      "  addq $8, %%rsp\n"
      "  jmp *%%r11\n"
      ".pushsection .data\n"
      ".hidden tailback_next_definitions\n"
      ".globl tailback_next_definitions\n"
      ".type tailback_next_definitions, @object\n"
      ".p2align 6\n"
      "tailback_next_definitions:\n"
      ".set tailback_index, 0\n"
      ".rept %c0\n"
      "  .quad tailback_first_call_stubs + 16 * tailback_index\n"
      "  .set tailback_index, tailback_index + 1\n"
      ".endr\n"
      ".size tailback_next_definitions, . - tailback_next_definitions\n"
      ".popsection\n"
      :
      : "i"(kNextDefinitions));
}

}  // namespace
}  // namespace tailback
