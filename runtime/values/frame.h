// A stack frame as a person reads it. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailback {

struct Frame {
  std::string function;  // demangled and whole; empty if no symbol covers the address
  std::string file;      // source file as the debug information names it; empty if unknown
  int line = 0;          // 1-based; 0 if unknown
  std::string module;    // path of the mapped file; empty for JIT code and other anonymous memory
  uint64_t offset = 0;   // address within the module, as `addr2line -e module` takes it; the
                         // address itself where there is no module
  bool inlined = false;  // this function was inlined into the next outer frame
  std::string language = "native";

  bool operator==(const Frame&) const = default;
};

// The last part of a path: what a module or a source file is called.
constexpr std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace tailback
