// Where the fields of V8's heap objects lie. Most is what the binary itself says in its v8dbg_*
// variables, which are there for debuggers of dead processes; the rest is known here for the
// versions in versions.inc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "runtime/interpreters/v8/versions.h"

namespace tailback {

struct V8TypeRange {
  uint16_t first = 0;
  uint16_t last = 0;
  bool contains(uint16_t type) const { return type >= first && type <= last; }
};

// Offsets in bytes from an object's begin (its tagged pointer less 1); types are what a map says of
// its objects.
struct V8Layout {
  V8Version version;

  uint64_t map_type = 0;

  // JSFunction, SharedFunctionInfo
  uint64_t function_shared = 0;
  uint64_t shared_data = 8;  // what runs it
  uint64_t shared_name = 0;  // the name, or a ScopeInfo that has it
  uint64_t shared_script = 0;
  uint64_t shared_token = 0;  // how far before its begin the word `function` stands

  // Script
  uint64_t script_source = 0;
  uint64_t script_name = 0;
  uint64_t script_first_line = 24;
  uint64_t script_id = 64;

  // BytecodeArray, ByteArray
  uint64_t bytecode_data = 0;
  uint64_t bytecode_positions = 0;
  uint64_t array_length = 0;
  uint64_t array_data = 0;

  // Code, of the baseline compiler
  uint64_t code_bytecode = 0;
  uint64_t code_offsets = 0;             // its table of where the bytecodes' machine code ends
  bool code_holds_instructions = false;  // they begin within it; else a field says where
  uint64_t code_instructions = 0;
  uint64_t code_size = 0;

  // ScopeInfo
  bool scope_begins_with_place = false;  // begin and end stand before the names
  bool scope_flags_are_smi = true;

  // Strings
  uint64_t string_length = 0;
  uint64_t string_data = 0;
  uint64_t external_data = 24;
  uint64_t cons_first = 0;
  uint64_t cons_second = 0;
  uint64_t thin_actual = 0;
  uint64_t sliced_parent = 0;
  uint64_t sliced_offset = 0;

  V8TypeRange functions;
  V8TypeRange contexts;
  uint16_t first_no_string = 0;
  uint16_t shared = 0;
  uint16_t script = 0;
  uint16_t scope = 0;
  uint16_t bytecode = 0;
  uint16_t bytes = 0;  // of position tables
  uint16_t oddball = 0;
  uint16_t code = 0;
};

// The values of v8dbg_* variables, by their names without that prefix.
using V8Constants = std::map<std::string, int32_t, std::less<>>;

// Nothing if the version is none that is known, or what the binary says makes no sense.
std::optional<V8Layout> v8_layout(V8Version version, const V8Constants& constants);

}  // namespace tailback
