#include "runtime/interpreters/python/eval_loop.h"

#include <array>
#include <optional>

namespace tailback {
namespace {

constexpr uint32_t kMostFunctions = 4 * 1024 * 1024;
// DWARF pointer encodings, as all linkers write them.
constexpr uint8_t kFourBytes = 0x03;
constexpr uint8_t kFourBytesSigned = 0x0b;
constexpr uint8_t kTableEncoding = 0x3b;  // four bytes, signed, from the header's begin

struct TableEntry {
  int32_t function;  // both from the header's begin
  int32_t description;
};

// The search table of .eh_frame_hdr: functions by address.
struct Table {
  uint64_t header = 0;
  std::vector<TableEntry> entries;

  uint64_t function(size_t i) const {
    return header + static_cast<uint64_t>(static_cast<int64_t>(entries[i].function));
  }
  uint64_t description(size_t i) const {
    return header + static_cast<uint64_t>(static_cast<int64_t>(entries[i].description));
  }
};

std::optional<Table> read_table(ModuleImage& image) {
  const auto header = image.eh_frame_header();
  std::array<uint8_t, 12> head;  // version, three encodings, pointer to .eh_frame, count
  if (!header || !image.read(*header, head.data(), head.size())) return std::nullopt;
  if (head[0] != 1 || (head[1] & 0x0f) != kFourBytesSigned || head[2] != kFourBytes ||
      head[3] != kTableEncoding)
    return std::nullopt;
  uint32_t count = 0;
  if (!image.read(*header + 8, &count, sizeof count) || count == 0 || count > kMostFunctions)
    return std::nullopt;
  Table table;
  table.header = *header;
  table.entries.resize(count);
  if (!image.read(*header + head.size(), table.entries.data(), count * sizeof(TableEntry)))
    return std::nullopt;
  return table;
}

// What the frame description of a function says of its extent.
CodeRange extent(ModuleImage& image, const Table& table, size_t i) {
  struct {
    uint32_t length;
    uint32_t common;
    int32_t begin;  // from its own place
    uint32_t size;
  } description;
  static_assert(sizeof description == 16);
  const uint64_t place = table.description(i);
  if (!image.read(place, &description, sizeof description)) return {};
  const uint64_t begin = place + 8 + static_cast<uint64_t>(static_cast<int64_t>(description.begin));
  if (begin != table.function(i)) return {};  // another encoding
  return {begin, begin + description.size};
}

}  // namespace

std::vector<CodeRange> eval_loop_ranges(ModuleImage& image, uint64_t entry) {
  const auto table = read_table(image);
  if (!table) return {};
  CodeRange own;
  CodeRange largest;
  for (size_t i = 0; i < table->entries.size(); ++i) {
    const uint64_t begin = table->function(i);
    const bool last = i + 1 == table->entries.size();
    const bool is_own = begin <= entry && (last || entry < table->function(i + 1));
    // The next function's begin bounds its size.
    const bool may_be_largest =
        !last && table->function(i + 1) - begin > largest.end - largest.begin;
    if (!is_own && !may_be_largest) continue;
    const CodeRange range = extent(image, *table, i);
    if (is_own && range.contains(entry)) own = range;
    if (range.end - range.begin > largest.end - largest.begin) largest = range;
  }
  if (own == CodeRange{}) return {};
  if (largest == own) return {own};
  return {own, largest};
}

}  // namespace tailback
