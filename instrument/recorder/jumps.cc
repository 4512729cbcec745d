// Functions that must see their caller: dlopen takes $ORIGIN, RUNPATH and the namespace from it;
// vfork returns twice, the second time over a stack that its child has used. So there can be no
// frame of the recorder's in between: the wrapper records the entry, then jumps on with all
// registers unchanged.
#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

namespace {

using namespace tailback;

// What the entry points push, from the stack's top.
struct EntryFrame {
  uint64_t rbx, rbp, r12, r13, r14, r15;
  uint64_t r9, r8, rcx, rdx, rsi, rdi;
  uint64_t return_address;
};
static_assert(sizeof(EntryFrame) == 13 * 8);

void record_entry(contract::Call& call, uint32_t generation, Function function,
                  const EntryFrame& frame) {
  call.function.store(0, std::memory_order_release);
  call.generation = generation;
  call.arguments[0] = frame.rdi;
  call.arguments[1] = frame.rsi;
  call.arguments[2] = frame.rdx;
  call.arguments[3] = frame.rcx;
  call.arguments[4] = frame.r8;
  call.arguments[5] = frame.r9;
  call.call_site = frame.return_address;
  contract::Context& context = call.context;
  context.instruction_pointer = frame.return_address;
  context.stack_pointer = reinterpret_cast<uint64_t>(&frame + 1);
  context.saved[contract::kRbx] = frame.rbx;
  context.saved[contract::kRbp] = frame.rbp;
  context.saved[contract::kR12] = frame.r12;
  context.saved[contract::kR13] = frame.r13;
  context.saved[contract::kR14] = frame.r14;
  context.saved[contract::kR15] = frame.r15;
  call.entered.store(ticks(), std::memory_order_relaxed);
  call.function.store(static_cast<uint32_t>(function), std::memory_order_release);
}

}  // namespace

// Returns the address to jump to.
extern "C" __attribute__((visibility("hidden"))) void* tailback_record_entry(
    Function function, const EntryFrame* frame) {
  if (const contract::ThreadRecord* record = current_record()) {
    record_entry(segment->open_ended[record - segment->threads],
                 record->generation.load(std::memory_order_relaxed), function, *frame);
  }
  const auto index = static_cast<uint32_t>(function) - 1;  // `next` begins with the table
  return reinterpret_cast<void**>(&next)[index];
}

#define RECORD_AND_TAIL_CALL(function) \
  asm volatile(                        \
      "endbr64\n"                      \
      "pushq %%rdi\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%rsi\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%rdx\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%rcx\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%r8\n"                   \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%r9\n"                   \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%r15\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%r14\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%r13\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%r12\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%rbp\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "pushq %%rbx\n"                  \
      ".cfi_adjust_cfa_offset 8\n"     \
      "movl %0, %%edi\n"               \
      "movq %%rsp, %%rsi\n"            \
      "subq $8, %%rsp\n"               \
      ".cfi_adjust_cfa_offset 8\n"     \
      "call tailback_record_entry\n"   \
      "addq $56, %%rsp\n"              \
      ".cfi_adjust_cfa_offset -56\n"   \
      "popq %%r9\n"                    \
      ".cfi_adjust_cfa_offset -8\n"    \
      "popq %%r8\n"                    \
      ".cfi_adjust_cfa_offset -8\n"    \
      "popq %%rcx\n"                   \
      ".cfi_adjust_cfa_offset -8\n"    \
      "popq %%rdx\n"                   \
      ".cfi_adjust_cfa_offset -8\n"    \
      "popq %%rsi\n"                   \
      ".cfi_adjust_cfa_offset -8\n"    \
      "popq %%rdi\n"                   \
      ".cfi_adjust_cfa_offset -8\n"    \
      "jmp *%%rax\n"                   \
      :                                \
      : "i"(static_cast<uint32_t>(function)))

#define TAIL_CALL_OF_NEXT TAILBACK_EXPORT __attribute__((naked))

TAIL_CALL_OF_NEXT void* dlopen(const char*, int) noexcept {
  RECORD_AND_TAIL_CALL(Function::dlopen);
}
TAIL_CALL_OF_NEXT void* dlmopen(Lmid_t, const char*, int) noexcept {
  RECORD_AND_TAIL_CALL(Function::dlmopen);
}
TAIL_CALL_OF_NEXT pid_t vfork() noexcept {
  RECORD_AND_TAIL_CALL(Function::vfork);
}
TAIL_CALL_OF_NEXT pid_t __vfork() noexcept {
  RECORD_AND_TAIL_CALL(Function::__vfork);
}

// Not a tail call, but dlopen's other half.
TAILBACK_EXPORT int dlclose(void* handle) noexcept {
  CallScope scope(CALL_SITE, Function::dlclose, handle);
  const int result = next.dlclose(handle);
  forget_late_definitions();
  return result;
}
