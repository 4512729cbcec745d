#include "runtime/control_flow/disassembler.h"

#include <capstone/capstone.h>

#include <algorithm>
#include <stdexcept>

namespace tailback {

#if defined(__x86_64__)

namespace {

using Flow = Instruction::Flow;
using Callee = Instruction::Callee;

constexpr uint64_t kLongestInstruction = 15;

// The constant address of a memory operand.
std::optional<uint64_t> constant_address(const cs_x86_op& operand, uint64_t end) {
  if (operand.type != X86_OP_MEM || operand.mem.base != X86_REG_RIP ||
      operand.mem.index != X86_REG_INVALID || operand.mem.segment != X86_REG_INVALID) {
    return std::nullopt;
  }
  return end + static_cast<uint64_t>(operand.mem.disp);
}

void describe_jump(const cs_insn& decoded, Instruction& result) {
  const cs_x86& x86 = decoded.detail->x86;
  if (x86.op_count != 1) return;
  const cs_x86_op& operand = x86.operands[0];
  if (operand.type == X86_OP_IMM) {
    result.flow = decoded.id == X86_INS_JMP ? Flow::kJump : Flow::kBranch;
    result.target = static_cast<uint64_t>(operand.imm);
  } else if (decoded.id == X86_INS_JMP && constant_address(operand, result.end())) {
    // Into an imported function: it returns to the caller of this one. Tables of a switch are
    // reached by a register.
    result.flow = Flow::kEnd;
  }
}

void describe_call(const cs_insn& decoded, Instruction& result) {
  const cs_x86& x86 = decoded.detail->x86;
  if (decoded.id != X86_INS_CALL || x86.op_count != 1) return;
  const cs_x86_op& operand = x86.operands[0];
  result.flow = Flow::kCall;
  result.callee = Callee::kRegister;
  if (operand.type == X86_OP_IMM) {
    result.callee = Callee::kAddress;
    result.target = static_cast<uint64_t>(operand.imm);
  } else if (const auto place = constant_address(operand, result.end())) {
    result.callee = Callee::kMemory;
    result.target = *place;
  }
}

}  // namespace

struct Disassembler::Impl {
  csh handle = 0;
  cs_insn* decoded = nullptr;
};

Disassembler::Disassembler() : impl_(std::make_unique<Impl>()) {
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &impl_->handle) != CS_ERR_OK) {
    throw std::runtime_error("no disassembler for x86-64");
  }
  cs_option(impl_->handle, CS_OPT_DETAIL, CS_OPT_ON);
  impl_->decoded = cs_malloc(impl_->handle);
}

Disassembler::~Disassembler() {
  cs_free(impl_->decoded, 1);
  cs_close(&impl_->handle);
}

std::optional<Instruction> Disassembler::at(ModuleImage& image, uint64_t address, uint64_t limit) {
  if (address >= limit) return std::nullopt;
  uint8_t bytes[kLongestInstruction];
  size_t size = std::min(limit - address, kLongestInstruction);
  if (!image.read(address, bytes, size)) return std::nullopt;
  const uint8_t* code = bytes;
  uint64_t next = address;
  if (!cs_disasm_iter(impl_->handle, &code, &size, &next, impl_->decoded)) return std::nullopt;
  const cs_insn& decoded = *impl_->decoded;
  const auto is_in = [&](uint8_t group) {
    return cs_insn_group(impl_->handle, impl_->decoded, group);
  };
  Instruction result;
  result.address = address;
  result.size = decoded.size;
  switch (decoded.id) {
    case X86_INS_LOOP:
    case X86_INS_LOOPE:
    case X86_INS_LOOPNE:
    case X86_INS_JMP:
      describe_jump(decoded, result);
      return result;
    case X86_INS_HLT:
    case X86_INS_INT3:
    case X86_INS_RET:
    case X86_INS_UD0:
    case X86_INS_UD2:
      result.flow = Flow::kEnd;
      return result;
    case X86_INS_SYSCALL:
      result.flow = Flow::kNext;
      return result;
    case X86_INS_XBEGIN:
      return result;
    default:
      break;
  }
  if (is_in(CS_GRP_CALL)) {
    describe_call(decoded, result);
  } else if (is_in(CS_GRP_JUMP)) {
    describe_jump(decoded, result);
  } else if (!is_in(CS_GRP_RET) && !is_in(CS_GRP_INT) && !is_in(CS_GRP_IRET)) {
    result.flow = Flow::kNext;
  }
  return result;
}

#else

struct Disassembler::Impl {};
Disassembler::Disassembler() = default;
Disassembler::~Disassembler() = default;
std::optional<Instruction> Disassembler::at(ModuleImage&, uint64_t, uint64_t) {
  return std::nullopt;
}

#endif

}  // namespace tailback
