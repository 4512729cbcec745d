// Source lines and inlined functions, from DWARF by elfutils' libdw. For one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct Elf;

namespace tailback {

struct SourceFrame {
  std::string function;  // as the debug information has it, mangled if it has that; may be empty
  std::string file;
  int line = 0;
};

class DebugLines {
 public:
  // nullptr if the file has no debug information, or more than we care to read. `elf` is the same
  // file's, to look before; neither is kept.
  static std::unique_ptr<DebugLines> open(Elf* elf, int fd);
  ~DebugLines();
  DebugLines(const DebugLines&) = delete;
  DebugLines& operator=(const DebugLines&) = delete;

  // The functions at an address, innermost first; the last one is not inlined. Empty if no unit
  // covers the address.
  std::vector<SourceFrame> at(uint64_t address);

 private:
  struct Impl;
  explicit DebugLines(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailback
