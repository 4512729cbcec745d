// From an instruction of V8's bytecode to a place in the source, and from there to its line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tailback {

// The position in the script of the bytecode at `offset`, from the function's table of positions.
// Nothing if the table has none for it, or breaks its rules.
std::optional<uint32_t> v8_position(std::span<const std::byte> table, uint32_t offset);

// Where the lines of a source end, each as the index of the character that ends it.
std::vector<uint32_t> line_ends_of(std::u16string_view source);

// The line, from 1 on, of a position.
int line_of(const std::vector<uint32_t>& line_ends, uint32_t position);

}  // namespace tailback
