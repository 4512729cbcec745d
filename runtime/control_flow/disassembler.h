// One instruction at a time, as far as the flow of control is concerned. For one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/capture/module_image.h"

namespace tailback {

struct Instruction {
  enum class Flow {
    kNext,     // goes on behind it
    kJump,     // goes on at `target`
    kBranch,   // there or behind it
    kCall,     // goes on behind it, if what it calls returns
    kEnd,      // leaves the function, or the program
    kUnknown,  // may go on anywhere
  };
  // What a call names: an address, a place in memory that holds the address (the module's table of
  // imported functions), or what is in a register.
  enum class Callee { kAddress, kMemory, kRegister };

  Flow flow = Flow::kUnknown;
  uint64_t address = 0;
  uint64_t size = 0;
  uint64_t target = 0;  // of a jump, of a branch, of a call but by a register
  Callee callee = Callee::kAddress;

  uint64_t end() const { return address + size; }
  // Whether both are calls and may call the same function.
  bool may_call_the_same(const Instruction& other) const {
    return flow == Flow::kCall && other.flow == Flow::kCall && callee == other.callee &&
           (callee == Callee::kRegister || target == other.target);
  }
};

class Disassembler {
 public:
  Disassembler();
  ~Disassembler();
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;

  // The instruction at an address of the file, if it ends by `limit`. Nothing if there is none that
  // is known; on machines other than x86-64 always.
  std::optional<Instruction> at(ModuleImage& image, uint64_t address, uint64_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailback
