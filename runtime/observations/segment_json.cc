#include "runtime/observations/segment_json.h"

namespace tailback {

std::string hex_of(const char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  while (size > 0 && bytes[size - 1] == 0) --size;
  std::string text;
  text.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

void bytes_of(const std::string& hex, char* bytes, size_t size) {
  std::memset(bytes, 0, size);
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i < size && 2 * i + 1 < hex.size(); ++i) {
    bytes[i] = static_cast<char>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  }
}

}  // namespace tailback
