#include "runtime/interpreters/v8/heap.h"

#include <algorithm>

namespace tailback {
namespace {

constexpr uint32_t kLongestString = 0x3fffffff;
constexpr uint32_t kLongestText = 1000;  // characters
constexpr unsigned kMostParts = 1000;
constexpr int kDeepest = 100;

enum Representation : unsigned {
  kSequential = 0,
  kCons = 1,
  kExternal = 2,
  kSliced = 3,
  kThin = 5
};
constexpr unsigned kRepresentationMask = 7;
constexpr unsigned kOneByte = 8;

void append_utf8(std::string& out, uint32_t c) {
  const auto byte = [&](uint32_t value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6);
    byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3f));
    byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3f));
    byte(0x80 | (c >> 6 & 0x3f));
    byte(0x80 | (c & 0x3f));
  }
}

}  // namespace

std::string utf8_of(std::u16string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t c = text[i];
    const bool is_first = c >= 0xd800 && c < 0xdc00;
    const bool is_second = c >= 0xdc00 && c < 0xe000;
    if (is_first && i + 1 < text.size() && text[i + 1] >= 0xdc00 && text[i + 1] < 0xe000) {
      append_utf8(out, 0x10000 + ((c - 0xd800) << 10) + (text[++i] - 0xdc00u));
    } else {
      append_utf8(out, is_first || is_second || c == 0 ? 0xfffd : c);
    }
  }
  return out;
}

std::optional<uint16_t> V8Heap::type(uint64_t pointer) {
  const auto map = word(pointer, 0);
  if (!map) return std::nullopt;
  return field<uint16_t>(*map, layout_.map_type);
}

bool V8Heap::is_string(uint64_t pointer) {
  const auto found = type(pointer);
  return found && *found < layout_.first_no_string;
}

std::optional<uint32_t> V8Heap::string_length(uint64_t pointer) {
  const auto length = field<uint32_t>(pointer, layout_.string_length);
  if (!length || *length > kLongestString) return std::nullopt;
  return length;
}

bool V8Heap::append(uint64_t pointer, uint32_t from, uint32_t count, std::u16string& out,
                    int depth) {
  if (count == 0) return true;
  if (++parts_ > kMostParts || depth > kDeepest) return false;
  const auto found = type(pointer);
  const auto length = string_length(pointer);
  if (!found || *found >= layout_.first_no_string || !length || from > *length ||
      count > *length - from)
    return false;
  const bool one_byte = (*found & kOneByte) != 0;
  const uint64_t width = one_byte ? 1 : 2;
  const auto copy = [&](RemoteAddress data) {
    std::vector<std::byte> bytes(count * width);
    if (!memory_.read(data + from * width, bytes)) return false;
    for (uint32_t i = 0; i < count; ++i) {
      const auto low = static_cast<unsigned>(bytes[i * width]);
      const unsigned high = one_byte ? 0 : static_cast<unsigned>(bytes[i * width + 1]);
      out += static_cast<char16_t>(high << 8 | low);
    }
    return true;
  };
  switch (*found & kRepresentationMask) {
    case kSequential:
      return copy(RemoteAddress(pointer - 1 + layout_.string_data));
    case kExternal: {
      const auto data = word(pointer, layout_.external_data);
      return data && copy(RemoteAddress(*data));
    }
    case kThin: {
      const auto actual = word(pointer, layout_.thin_actual);
      return actual && append(*actual, from, count, out, depth + 1);
    }
    case kSliced: {
      const auto parent = word(pointer, layout_.sliced_parent);
      const auto offset = smi_field(pointer, layout_.sliced_offset);
      return parent && offset && *offset >= 0 &&
             append(*parent, static_cast<uint32_t>(*offset) + from, count, out, depth + 1);
    }
    case kCons: {
      const auto first = word(pointer, layout_.cons_first);
      const auto second = word(pointer, layout_.cons_second);
      if (!first || !second) return false;
      const auto middle = string_length(*first);
      if (!middle || *middle > *length) return false;
      const uint32_t of_first = from < *middle ? std::min(count, *middle - from) : 0;
      const uint32_t skipped = from > *middle ? from - *middle : 0;
      return append(*first, from, of_first, out, depth + 1) &&
             append(*second, skipped, count - of_first, out, depth + 1);
    }
    default:
      return false;
  }
}

std::optional<std::u16string> V8Heap::characters(uint64_t pointer, uint32_t most) {
  if (!is_string(pointer)) return std::nullopt;
  const auto length = string_length(pointer);
  if (!length) return std::nullopt;
  parts_ = 0;
  std::u16string out;
  if (!append(pointer, 0, std::min(*length, most), out, 0)) return std::nullopt;
  return out;
}

std::optional<std::string> V8Heap::text(uint64_t pointer) {
  const auto some = characters(pointer, kLongestText);
  if (!some) return std::nullopt;
  const bool cut = string_length(pointer).value_or(0) > kLongestText;
  return utf8_of(*some) + (cut ? "…" : "");
}

std::optional<std::vector<std::byte>> V8Heap::array(uint64_t pointer, uint64_t data,
                                                    uint32_t most) {
  const auto length = smi_field(pointer, layout_.array_length);
  if (!length || *length < 0 || static_cast<uint32_t>(*length) > most) return std::nullopt;
  std::vector<std::byte> out(static_cast<size_t>(*length));
  if (!out.empty() && !memory_.read(RemoteAddress(pointer - 1 + data), out)) return std::nullopt;
  return out;
}

std::optional<std::vector<std::byte>> V8Heap::bytes(uint64_t pointer, uint32_t most) {
  if (!is(pointer, layout_.bytes)) return std::nullopt;
  return array(pointer, layout_.array_data, most);
}

std::optional<std::vector<std::byte>> V8Heap::bytecodes(uint64_t pointer, uint32_t most) {
  if (!is(pointer, layout_.bytecode)) return std::nullopt;
  return array(pointer, layout_.bytecode_data, most);
}

}  // namespace tailback
