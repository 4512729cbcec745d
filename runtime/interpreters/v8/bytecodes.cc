#include "runtime/interpreters/v8/bytecodes.h"

#include <string_view>

#include "runtime/interpreters/v8/versions.h"

namespace tailback {
namespace {

constexpr std::byte kWide{0};

size_t digit(std::string_view lengths, std::byte instruction) {
  const auto index = static_cast<size_t>(instruction);
  if (index >= lengths.size()) return 0;
  const char c = lengths[index];
  return static_cast<size_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}

}  // namespace

size_t bytecode_length(V8Version version, std::span<const std::byte> code) {
  const V8Release* const release = v8_release(version);
  if (release == nullptr || code.empty()) return 0;
  const bool is_wide = code.front() == kWide;
  if (is_wide && code.size() < 2) return 0;
  const size_t length =
      is_wide ? digit(release->wide_lengths, code[1]) : digit(release->plain_lengths, code[0]);
  return length <= code.size() ? length : 0;
}

}  // namespace tailback
