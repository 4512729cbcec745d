#include "runtime/report/terminal_escape.h"

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <vector>

namespace tailback {
namespace {

constexpr std::string_view kEllipsis = "…";

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

bool is_continuation(unsigned char byte) {
  return (byte & 0xc0) == 0x80;
}

// Decodes the code point at the text's beginning; the text is not empty. Overlong forms and
// surrogates are no UTF-8.
CodePoint decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  uint32_t value = lead & (0x7fU >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!is_continuation(byte)) return {};
    value = value << 6 | (byte & 0x3fU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, bytes};
}

// Marks that reorder the text around them or break the line: they would let a name show as another.
bool misleads(uint32_t c) {
  return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x2069) || c == 0x061c || c == 0xfeff || c >= 0xe0000;
}

std::string escaped(std::string_view bytes, CodePoint point) {
  if (point.bytes == 0) return fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
  if (point.value == '\n') return "\\n";
  if (point.value == '\r') return "\\r";
  if (point.value == '\t') return "\\t";
  if (point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0)) {
    return fmt::format("\\x{:02x}", point.value);
  }
  if (misleads(point.value)) return fmt::format("\\u{:04x}", point.value);
  return std::string(bytes.substr(0, point.bytes));
}

}  // namespace

std::string escape_for_terminal(std::string_view text, size_t limit, Cut cut) {
  // Every byte gives at least a quarter of a column, so that more bytes than this never show.
  const size_t enough = 4 * limit + 4;
  if (cut == Cut::kBeginning && text.size() > enough) {
    text.remove_prefix(text.size() - enough);
    while (!text.empty() && is_continuation(static_cast<unsigned char>(text[0]))) {
      text.remove_prefix(1);
    }
  }

  std::vector<std::string> pieces;  // one per code point or escape
  std::vector<size_t> widths;
  size_t width = 0;
  while (!text.empty() && (cut == Cut::kBeginning || width <= limit)) {
    const CodePoint point = decode(text);
    pieces.push_back(escaped(text, point));
    widths.push_back(columns(pieces.back()));
    width += widths.back();
    text.remove_prefix(point.bytes == 0 ? 1 : point.bytes);
  }

  size_t first = 0;
  size_t last = pieces.size();
  if (width > limit) {
    while (first < last && width + 1 > limit) {
      width -= cut == Cut::kEnd ? widths[--last] : widths[first++];
    }
  }
  std::string result;
  if (first > 0) result += kEllipsis;
  for (size_t i = first; i < last; ++i) result += pieces[i];
  if (last < pieces.size()) result += kEllipsis;
  return result;
}

size_t columns(std::string_view text) {
  size_t count = 0;
  for (const char c : text) {
    if (!is_continuation(static_cast<unsigned char>(c))) ++count;
  }
  return count;
}

std::string_view utf8_prefix(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  size_t end = bytes;
  // A sequence has at most three continuation bytes; where there are more it is no UTF-8 anyway.
  for (int i = 0; i < 3 && end > 0 && is_continuation(static_cast<unsigned char>(text[end])); ++i) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace tailback
