// The hash of the intercept table. A part of the record contract: the two worlds refer to functions
// by their index, so both must be built with the same table.
#pragma once

#include <stdint.h>

#include "instrument/contract/intercepts.h"

namespace tailback::contract {

// FNV-1a.
class TableHash {
 public:
  constexpr void add(uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3u; }
  constexpr void add(const char* text) {
    for (; *text; ++text) add(static_cast<uint8_t>(*text));
    add(uint8_t{0});
  }
  constexpr void add(const intercept::FunctionFacts& facts) {
    add(facts.name);
    add(facts.roles);
    add(static_cast<uint8_t>(facts.family));
    add(static_cast<uint8_t>(facts.recording));
    add(static_cast<uint8_t>(facts.traits & 0xff));
    add(static_cast<uint8_t>(facts.traits >> 8));
  }
  constexpr uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325u;
};

template <uint32_t kCount>
constexpr uint64_t hash_of_table(const intercept::FunctionFacts (&table)[kCount]) {
  TableHash hash;
  for (const intercept::FunctionFacts& facts : table) hash.add(facts);
  return hash.value();
}

// Over the names, families, traits, roles and ways of recording of all lines, in their order.
inline constexpr uint64_t kTableHash = hash_of_table(intercept::kFunctions);

}  // namespace tailback::contract
