#include "runtime/control_flow/reachability.h"

#include <unordered_set>
#include <vector>

#include "runtime/control_flow/function_range.h"

namespace tailback {
namespace {

using Flow = Instruction::Flow;

constexpr size_t kMostInstructions = 50'000;

}  // namespace

// `is_goal(instruction, first)`: `first` says that the search has not moved yet.
template <typename IsGoal>
Reach Reachability::search(ModuleImage& image, CodePoint from, IsGoal is_goal) {
  auto range = function_range(image, from.address - (from.after_call ? 1 : 0));
  if (!range) return Reach::kUnknown;
  // What is called last in a function does not return.
  if (from.after_call && from.address == range->end) return Reach::kNo;
  std::unordered_set<uint64_t> seen;
  std::vector<uint64_t> open{from.address};
  bool first = true;
  while (!open.empty()) {
    uint64_t address = open.back();
    open.pop_back();
    if (!range->contains(address)) range = function_range(image, address);
    if (!range) return Reach::kUnknown;
    while (true) {
      const auto instruction = disassembler_.at(image, address, range->end);
      if (!instruction) return Reach::kUnknown;
      if (is_goal(*instruction, first)) return Reach::kYes;
      first = false;
      if (!seen.insert(address).second) break;
      if (seen.size() > kMostInstructions) return Reach::kUnknown;
      const Flow flow = instruction->flow;
      if (flow == Flow::kUnknown) return Reach::kUnknown;
      if (flow == Flow::kJump || flow == Flow::kBranch) open.push_back(instruction->target);
      if (flow == Flow::kJump || flow == Flow::kEnd) break;
      address = instruction->end();
      if (address < range->end) continue;
      if (flow == Flow::kCall) break;
      return Reach::kUnknown;
    }
  }
  return Reach::kNo;
}

std::optional<Instruction> Reachability::call_before(ModuleImage& image, uint64_t return_address) {
  const auto range = function_range(image, return_address - 1);
  if (!range) return std::nullopt;
  // Compilers put no data between a function's instructions.
  for (uint64_t address = range->begin; address < return_address;) {
    const auto instruction = disassembler_.at(image, address, range->end);
    if (!instruction) return std::nullopt;
    address = instruction->end();
    if (address == return_address && instruction->flow == Flow::kCall) return instruction;
  }
  return std::nullopt;
}

Reach Reachability::of_call(ModuleImage& image, CodePoint from, uint64_t return_address) {
  return search(image, from, [&](const Instruction& instruction, bool) {
    return instruction.flow == Flow::kCall && instruction.end() == return_address;
  });
}

Reach Reachability::of_call_like(ModuleImage& image, CodePoint from, uint64_t return_address) {
  const auto call = call_before(image, return_address);
  if (!call) return Reach::kUnknown;
  return search(image, from, [&](const Instruction& instruction, bool) {
    return instruction.may_call_the_same(*call);
  });
}

Reach Reachability::of_call_that_may_be_like(ModuleImage& image, CodePoint from,
                                             uint64_t return_address) {
  const auto call = call_before(image, return_address);
  if (!call) return Reach::kUnknown;
  return search(image, from, [&](const Instruction& instruction, bool) {
    return instruction.may_call_the_same(*call) ||
           (instruction.flow == Flow::kCall &&
            instruction.callee == Instruction::Callee::kRegister);
  });
}

Reach Reachability::of_itself(ModuleImage& image, CodePoint from) {
  return search(image, from, [&](const Instruction& instruction, bool first) {
    return !first && instruction.address == from.address;
  });
}

}  // namespace tailback
