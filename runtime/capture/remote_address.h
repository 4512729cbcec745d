// An address in a target's memory. It has a type of its own so that the compiler forbids
// dereferencing it here.
#pragma once

#include <compare>
#include <cstdint>

namespace tailback {

struct RemoteAddress {
  uint64_t value = 0;

  constexpr RemoteAddress() = default;
  constexpr explicit RemoteAddress(uint64_t v) : value(v) {}
  constexpr auto operator<=>(const RemoteAddress&) const = default;
  constexpr RemoteAddress operator+(uint64_t n) const { return RemoteAddress(value + n); }
  constexpr RemoteAddress operator-(uint64_t n) const { return RemoteAddress(value - n); }
  constexpr uint64_t operator-(RemoteAddress o) const { return value - o.value; }
};

}  // namespace tailback
