#include "runtime/interpreters/v8/lines.h"

#include <algorithm>

namespace tailback {
namespace {

constexpr unsigned kMostShift = 63;

// A number of 7 bits a byte, lowest first; the lowest bit of all is the sign.
std::optional<int64_t> take_number(std::span<const std::byte>& table) {
  uint64_t bits = 0;
  for (unsigned shift = 0; shift < kMostShift && !table.empty(); shift += 7) {
    const auto byte = static_cast<uint64_t>(table.front());
    table = table.subspan(1);
    bits |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      const auto value = static_cast<int64_t>(bits >> 1);
      return (bits & 1) != 0 ? -value - 1 : value;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint32_t> v8_position(std::span<const std::byte> table, uint32_t offset) {
  constexpr int64_t kMost = INT32_MAX;
  int64_t at = -1;  // the function's entry
  uint64_t place = 0;
  std::optional<uint32_t> found;
  while (!table.empty()) {
    const auto step = take_number(table);
    const auto change = take_number(table);
    if (!step || !change) return std::nullopt;
    at += *step >= 0 ? *step : -(*step + 1);  // the sign says whether a statement begins there
    place += static_cast<uint64_t>(*change);
    if (at > kMost) return std::nullopt;
    if (at > static_cast<int64_t>(offset)) break;
    // Bit 0 tells positions outside of scripts; above the 30 bits of the position, which counts
    // from 1, stands what was inlined: nothing in bytecode.
    constexpr uint64_t kPositionMask = (uint64_t{1} << 30) - 1;
    const uint64_t position = place >> 1 & kPositionMask;
    if ((place & 1) != 0 || position == 0 || place >> 31 != 0) return std::nullopt;
    found = static_cast<uint32_t>(position - 1);
  }
  return found;
}

std::vector<uint32_t> line_ends_of(std::u16string_view source) {
  std::vector<uint32_t> ends;
  for (size_t i = 0; i < source.size(); ++i) {
    const char16_t c = source[i];
    const bool is_pair = c == u'\r' && i + 1 < source.size() && source[i + 1] == u'\n';
    if (c == u'\n' || (c == u'\r' && !is_pair) || c == u'\u2028' || c == u'\u2029')
      ends.push_back(static_cast<uint32_t>(i));
  }
  return ends;
}

int line_of(const std::vector<uint32_t>& line_ends, uint32_t position) {
  const auto end = std::lower_bound(line_ends.begin(), line_ends.end(), position);
  return static_cast<int>(end - line_ends.begin()) + 1;
}

}  // namespace tailback
