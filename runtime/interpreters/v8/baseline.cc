#include "runtime/interpreters/v8/baseline.h"

#include "runtime/interpreters/v8/bytecodes.h"

namespace tailback {
namespace {

constexpr uint32_t kLongest = 256 * 1024;  // of bytecode and tables
constexpr uint32_t kLargestCode = 64 * 1024 * 1024;

// A number of 7 bits a byte, lowest first.
std::optional<uint64_t> take_number(std::span<const std::byte>& table) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 32 && !table.empty(); shift += 7) {
    const auto byte = static_cast<uint64_t>(table.front());
    table = table.subspan(1);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint32_t> bytecode_offset_at(V8Version version, std::span<const std::byte> bytecodes,
                                           std::span<const std::byte> table,
                                           uint64_t machine_offset) {
  const auto entry = take_number(table);  // what comes before the first bytecode
  if (!entry || machine_offset <= *entry) return std::nullopt;
  uint64_t end = *entry;
  size_t offset = 0;
  while (offset < bytecodes.size()) {
    const auto size = take_number(table);
    if (!size) return std::nullopt;
    end += *size;
    if (machine_offset <= end) return static_cast<uint32_t>(offset);
    const size_t length = bytecode_length(version, bytecodes.subspan(offset));
    if (length == 0) return std::nullopt;
    offset += length;
  }
  return std::nullopt;
}

std::optional<uint32_t> baseline_offset(V8Heap& heap, const V8Layout& layout, uint64_t shared,
                                        uint64_t bytecode, uint64_t return_address) {
  const auto code = heap.word(shared, layout.shared_data);
  if (!code || !heap.is(*code, layout.code) || heap.word(*code, layout.code_bytecode) != bytecode)
    return std::nullopt;
  const auto begin = layout.code_holds_instructions
                         ? std::optional(*code - 1 + layout.code_instructions)
                         : heap.word(*code, layout.code_instructions);
  const auto size = heap.field<uint32_t>(*code, layout.code_size);
  if (!begin || !size || *size > kLargestCode || return_address <= *begin ||
      return_address - *begin > *size)
    return std::nullopt;
  const auto table = heap.word(*code, layout.code_offsets);
  const auto offsets = table ? heap.bytes(*table, kLongest) : std::nullopt;
  const auto bytecodes = heap.bytecodes(bytecode, kLongest);
  if (!offsets || !bytecodes) return std::nullopt;
  return bytecode_offset_at(layout.version, *bytecodes, *offsets, return_address - *begin);
}

}  // namespace tailback
