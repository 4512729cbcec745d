#include "runtime/launch/address_layout.h"

#include <sys/personality.h>

#include <fstream>

namespace tailback {
namespace {

constexpr unsigned long kAsk = 0xffffffff;

}  // namespace

std::optional<int> random_bits(const std::string& file) {
  std::ifstream stream(file);
  int bits = 0;
  if (!(stream >> bits)) return std::nullopt;
  return bits;
}

bool can_fix_addresses() {
  const int before = personality(kAsk);
  if (before < 0) return false;
  const bool can = fix_addresses();
  if (can) personality(static_cast<unsigned long>(before));
  return can;
}

bool fix_addresses() {
  const int before = personality(kAsk);
  return before >= 0 && personality(static_cast<unsigned long>(before) | ADDR_NO_RANDOMIZE) >= 0 &&
         (personality(kAsk) & ADDR_NO_RANDOMIZE) != 0;
}

}  // namespace tailback
