// The debug sections of an ELF file in memory of our own, as libdw wants them. libdw takes strings
// at a section's end for terminated, and a mapped file that is cut short means a SIGBUS: here what
// follows a section is more of the file, or zeros.
#pragma once

#include <cstddef>
#include <memory>

struct Elf;

namespace tailback {

class DebugSections {
 public:
  // Reads the debug sections of the file, and what leads to them. nullptr if there are none, or
  // more than we care to read. `elf` is the same file's, to look before.
  static std::unique_ptr<DebugSections> read(Elf* elf, int fd);
  ~DebugSections();
  DebugSections(const DebugSections&) = delete;
  DebugSections& operator=(const DebugSections&) = delete;

  // A file of the same layout, with nothing in it but these sections.
  Elf* elf() const { return elf_; }

 private:
  DebugSections() = default;

  std::byte* bytes_ = nullptr;
  size_t size_ = 0;
  Elf* elf_ = nullptr;
};

}  // namespace tailback
