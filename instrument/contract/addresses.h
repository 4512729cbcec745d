// Addresses of programs, as they are packed into keys. A part of the record contract.
#pragma once

#include <stdint.h>

namespace tailback::contract {

// A program's addresses fit into the low 48 bits of a word, so the other 16 can carry something
// else.
inline constexpr unsigned kAddressBits = 48;
inline constexpr uint64_t kAddressMask = (uint64_t{1} << kAddressBits) - 1;

}  // namespace tailback::contract
