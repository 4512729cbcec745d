// What an ELF file's headers say of how the kernel and the loader would start it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tailback {

struct ElfImage {
  bool is_64_bit = false;
  bool is_little_endian = false;
  uint16_t machine = 0;     // EM_…
  uint16_t type = 0;        // ET_…
  std::string loader;       // of PT_INTERP; empty: none asked for
  bool is_go = false;       // Go's compiler made it, or a part of it
  bool is_damaged = false;  // what the fields above don't tell was cut off or made no sense

  // Of the architecture that tailback itself was built for.
  bool is_native() const;
  // For a person: "32-bit x86", "aarch64".
  std::string architecture() const;
};

// Nothing if the file does not begin as ELF files do. The program and section headers are read for
// native images only. Never throws on what the file holds; a read error counts as damage.
std::optional<ElfImage> read_elf_image(int fd);

}  // namespace tailback
