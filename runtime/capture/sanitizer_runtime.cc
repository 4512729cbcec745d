#include "runtime/capture/sanitizer_runtime.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/capture/elf_headers.h"

namespace tailback {
namespace {

constexpr uint64_t kMostNames = 256 * 1024 * 1024;

// A name as it stands among others, with the end of the one before it.
struct Sought {
  std::string_view text;
  bool found = false;
};

// Looks through a section of names, however long, with a little memory. What makes no sense has
// none.
void look_for(int fd, const Elf64_Shdr& section, std::span<Sought> sought) {
  if (section.sh_type != SHT_STRTAB) return;
  constexpr size_t kOverlap = 64;  // longer than any text
  std::vector<char> names(128 * 1024);
  size_t kept = 0;
  const uint64_t size = std::min(section.sh_size, kMostNames);
  for (uint64_t at = 0; at < size && section.sh_offset <= INT64_MAX - kMostNames;) {
    const size_t room = std::min<uint64_t>(names.size() - kept, size - at);
    const ssize_t count =
        pread(fd, names.data() + kept, room, static_cast<off_t>(section.sh_offset + at));
    if (count <= 0) return;
    at += static_cast<uint64_t>(count);
    const size_t filled = kept + static_cast<size_t>(count);
    for (Sought& one : sought) {
      one.found |= memmem(names.data(), filled, one.text.data(), one.text.size()) != nullptr;
    }
    kept = std::min(filled, kOverlap);
    std::memmove(names.data(), names.data() + filled - kept, kept);
  }
}

}  // namespace

SanitizerRuntime read_sanitizer_runtime(int fd) {
  SanitizerRuntime runtime;
  Elf64_Ehdr header{};
  if (!read_exactly(fd, &header, sizeof header, 0)) return runtime;
  const auto sections = read_section_headers(fd, header);
  if (!sections) return runtime;
  // That of a linked program's own symbols, and what of it the loader needs, which strip leaves.
  constexpr int kMostTables = 2;  // a linker makes one of each kind
  int tables = 0;
  for (const Elf64_Shdr& section : *sections) {
    if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB) continue;
    if (section.sh_link >= sections->size() || ++tables > kMostTables) continue;
    using namespace std::string_view_literals;
    Sought sought[] = {{"\0__tsan_init\0"sv},
                       {"\0libtsan.so"sv},
                       {"\0libclang_rt.tsan"sv},
                       {"\0tailback_begin_finding\0"sv}};
    look_for(fd, (*sections)[section.sh_link], sought);
    const auto& [init, gcc_library, clang_library, pairing] = sought;
    runtime.is_thread_sanitizer |= init.found;
    if (section.sh_type != SHT_DYNSYM) continue;
    runtime.is_shared = gcc_library.found || clang_library.found;
    runtime.is_thread_sanitizer |= runtime.is_shared;
    runtime.is_paired = pairing.found;
  }
  return runtime;
}

}  // namespace tailback
