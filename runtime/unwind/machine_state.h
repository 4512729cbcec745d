// The registers of one frame while a stack is unwound, by their DWARF numbers. All that depends on
// the machine stands here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/capture/snapshot.h"

namespace tailback {

namespace machine {
#if defined(__x86_64__)
inline constexpr size_t kRegisters = 17;
inline constexpr size_t kFramePointer = 6;         // rbp
inline constexpr size_t kStackPointer = 7;         // rsp
inline constexpr size_t kInstructionPointer = 16;  // rip, the return address's column
// The numbers of contract::Context::saved[].
inline constexpr std::array<uint8_t, 6> kSaved = {3, 6, 12, 13, 14, 15};  // rbx, rbp, r12 to r15
#elif defined(__aarch64__)
inline constexpr size_t kRegisters = 33;
inline constexpr size_t kFramePointer = 29;
inline constexpr size_t kStackPointer = 31;
inline constexpr size_t kInstructionPointer = 32;
inline constexpr std::array<uint8_t, 12> kSaved = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30};
#else
#error "not a machine that Tailback knows"
#endif
}  // namespace machine

class MachineState {
 public:
  MachineState() = default;
  explicit MachineState(const Registers& registers) {
    set(machine::kInstructionPointer, registers.context.instruction_pointer);
    set(machine::kStackPointer, registers.context.stack_pointer);
    after_call = registers.after_call;
    if (!registers.complete) return;
    for (size_t i = 0; i < machine::kSaved.size(); ++i)
      set(machine::kSaved[i], registers.context.saved[i]);
  }

  bool known(size_t number) const {
    return number < machine::kRegisters && ((known_ >> number) & 1) != 0;
  }
  uint64_t get(size_t number) const { return values_[number]; }
  void set(size_t number, uint64_t value) {
    values_[number] = value;
    known_ |= uint64_t{1} << number;
  }

  // The instruction pointer is a return address: the frame's place is the call before it.
  bool after_call = false;

  // An address within the instruction that the frame is at. A call can be the last instruction of
  // its function, so that the return address lies in the next one.
  uint64_t lookup_address() const {
    return get(machine::kInstructionPointer) - (after_call ? 1 : 0);
  }

 private:
  std::array<uint64_t, machine::kRegisters> values_{};
  uint64_t known_ = 0;
};

}  // namespace tailback
