#include "runtime/capture/elf_headers.h"

#include <unistd.h>

namespace tailback {

bool read_exactly(int fd, void* to, size_t size, uint64_t offset) {
  return offset <= INT64_MAX - size &&
         pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

std::optional<std::vector<Elf64_Shdr>> read_section_headers(int fd, const Elf64_Ehdr& header) {
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return std::nullopt;
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  if (!read_exactly(fd, sections.data(), sections.size() * sizeof(Elf64_Shdr), header.e_shoff))
    return std::nullopt;
  return sections;
}

}  // namespace tailback
