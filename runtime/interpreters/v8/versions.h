// The versions of V8 whose frames are read, and what is known here of each: the rows of
// versions.inc.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

namespace tailback {

struct V8Version {
  int major = 0;
  int minor = 0;
  constexpr auto operator<=>(const V8Version&) const = default;
};

// Offsets in bytes from an object's begin, as in V8Layout.
struct V8Release {
  std::string_view node;  // the major version of the Node that has it: "24"
  V8Version version;

  uint64_t bytecode_positions = 0;
  bool scope_begins_with_place = false;
  bool scope_flags_are_smi = true;
  uint16_t last_function = 0;  // 0: a variable says it
  uint64_t code_bytecode = 0;
  uint64_t code_offsets = 0;
  bool code_holds_instructions = false;
  uint64_t code_instructions = 0;
  uint64_t code_size = 0;

  // One hexadecimal digit for each instruction: its length in bytes, 0 if that is not known.
  std::string_view plain_lengths;
  std::string_view wide_lengths;  // behind a prefix, which counts
};

// From the oldest to the newest.
std::span<const V8Release> v8_releases();

// nullptr: frames of this version are not read. There is no guess from another version.
const V8Release* v8_release(V8Version version);

}  // namespace tailback
