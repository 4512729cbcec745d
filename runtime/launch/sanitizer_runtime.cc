#include "runtime/launch/sanitizer_runtime.h"

#include <elf.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailback {
namespace {

constexpr uint64_t kMostNames = 256 * 1024 * 1024;

bool read_exactly(int fd, void* to, size_t size, uint64_t offset) {
  return offset <= INT64_MAX - size &&
         pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

// The names of a section of strings; empty if it makes no sense.
std::string names_of(int fd, const Elf64_Shdr& section) {
  const off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0 || section.sh_type != SHT_STRTAB || section.sh_size > kMostNames ||
      section.sh_size > static_cast<uint64_t>(end)) {
    return {};
  }
  std::string names(section.sh_size, '\0');
  return read_exactly(fd, names.data(), names.size(), section.sh_offset) ? names : std::string();
}

// `name` stands there from its first letter to its last.
bool has(std::string_view names, std::string_view name) {
  std::string whole(1, '\0');
  whole.append(name).push_back('\0');
  return names.find(whole) != std::string_view::npos;
}

bool has_beginning(std::string_view names, std::string_view beginning) {
  std::string whole(1, '\0');
  whole.append(beginning);
  return names.find(whole) != std::string_view::npos;
}

}  // namespace

SanitizerRuntime read_sanitizer_runtime(int fd) {
  SanitizerRuntime runtime;
  Elf64_Ehdr header{};
  if (!read_exactly(fd, &header, sizeof header, 0) || header.e_shentsize != sizeof(Elf64_Shdr)) {
    return runtime;
  }
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  if (!read_exactly(fd, sections.data(), sections.size() * sizeof(Elf64_Shdr), header.e_shoff)) {
    return runtime;
  }
  // That of a linked program's own symbols, and what of it the loader needs, which strip leaves.
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB) continue;
    if (section.sh_link >= sections.size()) continue;
    const std::string names = names_of(fd, sections[section.sh_link]);
    runtime.is_thread_sanitizer |= has(names, "__tsan_init");
    if (section.sh_type != SHT_DYNSYM) continue;
    runtime.is_shared =
        has_beginning(names, "libtsan.so") || has_beginning(names, "libclang_rt.tsan");
    runtime.is_thread_sanitizer |= runtime.is_shared;
    runtime.is_paired = has(names, "tailback_begin_finding");
  }
  return runtime;
}

}  // namespace tailback
