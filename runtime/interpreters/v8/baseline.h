// Where a function runs that V8's baseline compiler has compiled: its code goes through the
// bytecode instruction by instruction, and a table says where each one's machine code ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/interpreters/v8/heap.h"
#include "runtime/interpreters/v8/layout.h"

namespace tailback {

// The offset of the bytecode whose machine code returns to `return_address`. `shared` is the
// function's SharedFunctionInfo. Nothing if the address is not in its baseline code.
std::optional<uint32_t> baseline_offset(V8Heap& heap, const V8Layout& layout, uint64_t shared,
                                        uint64_t bytecode, uint64_t return_address);

// The same, of what was read: `machine_offset` is in bytes from the begin of the code.
std::optional<uint32_t> bytecode_offset_at(V8Version version, std::span<const std::byte> bytecodes,
                                           std::span<const std::byte> table,
                                           uint64_t machine_offset);

}  // namespace tailback
