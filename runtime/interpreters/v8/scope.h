// What V8 keeps of a function for as long as it can run: its name and its place in the script.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/interpreters/v8/heap.h"

namespace tailback {

struct V8Scope {
  std::string name;      // empty if it has none
  std::string inferred;  // made from what it is assigned to ("routes.get"); empty if it has a name
  uint32_t begin = 0;    // in characters from the script's begin
  uint32_t end = 0;
};

// Reads a ScopeInfo. Nothing if it breaks the rules.
std::optional<V8Scope> read_v8_scope(V8Heap& heap, const V8Layout& layout, uint64_t pointer);

}  // namespace tailback
