#include "runtime/control_flow/function_range.h"

#include <cstring>
#include <string_view>

namespace tailback {
namespace {

constexpr uint8_t kPcRelative4 = 0x1b;    // DW_EH_PE_pcrel | DW_EH_PE_sdata4
constexpr uint8_t kDataRelative4 = 0x3b;  // DW_EH_PE_datarel | DW_EH_PE_sdata4
constexpr uint8_t kUnsigned4 = 0x03;

struct TableRow {
  int32_t begin;  // both relative to the header
  int32_t entry;
};

// Skips a number in LEB128. False where there is no end to it.
bool skip_leb(const uint8_t*& at, const uint8_t* end) {
  while (at < end) {
    if ((*at++ & 0x80) == 0) return true;
  }
  return false;
}

// Whether the addresses in the entries of this CIE are 4 bytes relative to their own place.
bool has_usual_addresses(ModuleImage& image, uint64_t cie) {
  uint8_t bytes[48] = {};
  if (!image.read(cie, bytes, sizeof bytes)) return false;
  const uint8_t* at = bytes + 8;
  const uint8_t* const end = bytes + sizeof bytes;
  if (*at++ != 1) return false;
  const auto* text = reinterpret_cast<const char*>(at);
  const std::string_view augmentation(text, strnlen(text, static_cast<size_t>(end - at)));
  at += augmentation.size() + 1;
  if (at >= end || augmentation.empty() || augmentation.front() != 'z') return false;
  // Alignments of code and data, the return address's column, the size of what follows.
  for (int i = 0; i < 4; ++i) {
    if (!skip_leb(at, end)) return false;
  }
  for (const char kind : augmentation.substr(1)) {
    if (at >= end) return false;
    if (kind == 'R') return *at == kPcRelative4;
    if (kind == 'L') ++at;
    if (kind == 'P') at += 5;  // of these, only pointers of 4 bytes are known here
    if (kind == 'P' && (at[-5] & 0x0f) != 0x0b && (at[-5] & 0x0f) != kUnsigned4) return false;
  }
  return false;
}

}  // namespace

std::optional<FunctionRange> function_range(ModuleImage& image, uint64_t address) {
  const auto header = image.eh_frame_header();
  uint8_t head[12];  // version, three encodings, pointer to .eh_frame, count
  if (!header || !image.read(*header, head, sizeof head)) return std::nullopt;
  if (head[0] != 1 || head[1] != kPcRelative4 || head[2] != kUnsigned4 ||
      head[3] != kDataRelative4) {
    return std::nullopt;
  }
  uint32_t count = 0;
  std::memcpy(&count, head + 8, sizeof count);
  const uint64_t table = *header + sizeof head;
  // The last row that begins at or below the address.
  uint32_t low = 0;
  uint32_t high = count;
  TableRow row{};
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (!image.read(table + uint64_t{middle} * sizeof row, &row, sizeof row)) return std::nullopt;
    if (*header + static_cast<uint64_t>(int64_t{row.begin}) <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0 || !image.read(table + uint64_t{low - 1} * sizeof row, &row, sizeof row)) {
    return std::nullopt;
  }
  const uint64_t entry = *header + static_cast<uint64_t>(int64_t{row.entry});
  uint32_t words[4];  // length, distance back to the CIE, begin, size
  if (!image.read(entry, words, sizeof words) || words[0] < sizeof words - 4 || words[1] == 0) {
    return std::nullopt;
  }
  if (!has_usual_addresses(image, entry + 4 - words[1])) return std::nullopt;
  FunctionRange range;
  range.begin = entry + 8 + static_cast<uint64_t>(int64_t{static_cast<int32_t>(words[2])});
  range.end = range.begin + words[3];
  if (!range.contains(address)) return std::nullopt;
  return range;
}

}  // namespace tailback
