// The one hash of words. A part of the record contract: both worlds find an entry by it.
#pragma once

#include <stdint.h>

namespace tailback::contract {

// Fibonacci hashing: the high bits of the product depend on all bits of the word, so take those.
constexpr uint64_t spread(uint64_t word) {
  return word * 0x9e3779b97f4a7c15u;  // 2^64 divided by the golden ratio
}

}  // namespace tailback::contract
