#include "runtime/interpreters/python/lines.h"

namespace tailback {
namespace {

constexpr int64_t kMostLines = 1 << 30;

// Takes bytes off the front.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  // What the next byte is; 0 at the end.
  uint8_t next() const { return empty() ? 0 : static_cast<uint8_t>(bytes_.front()); }
  std::optional<uint8_t> take() {
    if (empty()) return std::nullopt;
    const uint8_t byte = next();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

 private:
  std::span<const std::byte> bytes_;
};

std::optional<int> checked(int64_t line) {
  if (line < 0 || line > kMostLines) return std::nullopt;
  return static_cast<int>(line);
}

// co_lnotab: pairs of (bytes of code, lines), both to be added up.
std::optional<int> line_by_increments(Bytes table, int64_t line, int64_t position) {
  int64_t address = 0;
  while (!table.empty()) {
    const auto size = table.take();
    const auto lines = table.take();
    if (!lines) return std::nullopt;
    address += *size;
    if (address > position) break;
    line += static_cast<int8_t>(*lines);
  }
  return checked(line);
}

// Pairs of (bytes of code, lines to be added before them); -128: they have no line.
std::optional<int> line_by_ranges(Bytes table, int64_t line, int64_t position) {
  constexpr int kNoLine = -128;
  int64_t end = 0;
  while (!table.empty()) {
    const auto size = table.take();
    const auto lines = table.take();
    if (!lines) return std::nullopt;
    const auto delta = static_cast<int8_t>(*lines);
    if (delta != kNoLine) line += delta;
    end += *size;
    if (end > position) return delta == kNoLine ? 0 : checked(line);
  }
  return std::nullopt;
}

// Six bits in each byte, the lowest first; bit 6 says that there are more.
std::optional<int64_t> take_number(Bytes& table) {
  int64_t number = 0;
  for (unsigned shift = 0; shift < 36; shift += 6) {
    if ((table.next() & 0x80) != 0) return std::nullopt;  // begins the next entry
    const auto byte = table.take();
    if (!byte) return std::nullopt;
    number |= static_cast<int64_t>(*byte & 0x3f) << shift;
    if ((*byte & 0x40) == 0) return number;
  }
  return std::nullopt;
}

std::optional<int64_t> take_signed(Bytes& table) {
  const auto number = take_number(table);
  if (!number) return std::nullopt;
  return (*number & 1) != 0 ? -(*number >> 1) : *number >> 1;
}

// Takes the rest of an entry; gives the lines to be added before it.
std::optional<int64_t> take_entry(Bytes& table, unsigned kind) {
  constexpr unsigned kLong = 14;
  constexpr unsigned kNoColumns = 13;
  constexpr unsigned kFirstOneLine = 10;
  if (kind == kLong) {
    const auto delta = take_signed(table);
    for (int i = 0; i < 3; ++i) {
      if (!take_number(table)) return std::nullopt;
    }
    return delta;
  }
  if (kind == kNoColumns) return take_signed(table);
  const int columns = kind >= kFirstOneLine ? 2 : 1;
  for (int i = 0; i < columns; ++i) {
    if (!table.take()) return std::nullopt;
  }
  return kind >= kFirstOneLine ? kind - kFirstOneLine : 0;
}

// Entries of (kind, code units) and, by kind, lines and columns.
std::optional<int> line_by_locations(Bytes table, int64_t line, int64_t position) {
  constexpr unsigned kNone = 15;
  int64_t end = 0;
  while (const auto head = table.take()) {
    if ((*head & 0x80) == 0) return std::nullopt;
    const unsigned kind = *head >> 3 & 15;
    end += 2 * ((*head & 7) + 1);
    if (kind != kNone) {
      const auto delta = take_entry(table, kind);
      if (!delta) return std::nullopt;
      line += *delta;
    }
    if (end > position) return kind == kNone ? 0 : checked(line);
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> python_line(PythonLines format, std::span<const std::byte> table, int first_line,
                               int64_t position) {
  if (position < 0) return checked(first_line);
  const Bytes bytes(table);
  switch (format) {
    case PythonLines::kIncrements:
      return line_by_increments(bytes, first_line, position);
    case PythonLines::kRanges:
      return line_by_ranges(bytes, first_line, position);
    case PythonLines::kLocations:
      return line_by_locations(bytes, first_line, position);
  }
  return std::nullopt;
}

}  // namespace tailback
