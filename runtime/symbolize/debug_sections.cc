#include "runtime/symbolize/debug_sections.h"

#include <gelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tailback {
namespace {

// Names of functions don't need debug information: a giant goes without lines.
constexpr uint64_t kMostBytes = 512u * 1024 * 1024;
constexpr size_t kPadding = 4096;

struct Part {
  uint64_t offset;
  uint64_t size;
};

struct Parts {
  std::vector<Part> parts;
  uint64_t bytes = 0;  // once decompressed
  bool has_info = false;
};

Parts find_parts(Elf* elf) {
  Parts found;
  size_t names = 0;
  GElf_Ehdr header;
  size_t sections = 0;
  if (gelf_getehdr(elf, &header) == nullptr || elf_getshdrstrndx(elf, &names) != 0 ||
      elf_getshdrnum(elf, &sections) != 0)
    return found;
  found.parts.push_back({0, sizeof(Elf64_Ehdr)});
  found.parts.push_back({header.e_shoff, sections * sizeof(Elf64_Shdr)});
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr about;
    if (gelf_getshdr(section, &about) == nullptr || about.sh_type == SHT_NOBITS) continue;
    const char* text = elf_strptr(elf, names, about.sh_name);
    const std::string_view name(text != nullptr ? text : "");
    const bool debug =
        name.starts_with(".debug_") || name.starts_with(".zdebug_") || name == ".gnu_debugaltlink";
    if (!debug && elf_ndxscn(section) != names) continue;
    found.parts.push_back({about.sh_offset, about.sh_size});
    uint64_t size = about.sh_size;
    GElf_Chdr compressed;
    if ((about.sh_flags & SHF_COMPRESSED) != 0 && gelf_getchdr(section, &compressed) != nullptr)
      size = std::max(size, compressed.ch_size);
    found.bytes += std::min(size, kMostBytes + 1);
    found.has_info |= name == ".debug_info" || name == ".zdebug_info";
  }
  return found;
}

bool read_part(int fd, std::byte* bytes, const Part& part) {
  uint64_t done = 0;
  while (done < part.size) {
    const ssize_t n = ::pread(fd, bytes + part.offset + done, part.size - done,
                              static_cast<off_t>(part.offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<uint64_t>(n);
  }
  return true;
}

}  // namespace

std::unique_ptr<DebugSections> DebugSections::read(Elf* elf, int fd) {
  struct stat status;
  if (elf == nullptr || fd < 0 || ::fstat(fd, &status) != 0) return nullptr;
  const Parts found = find_parts(elf);
  if (!found.has_info || found.bytes > kMostBytes) return nullptr;
  const auto file_size = static_cast<uint64_t>(status.st_size);
  // Address space for the whole file; pages that are never written cost nothing.
  const size_t size = file_size + kPadding;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  std::unique_ptr<DebugSections> sections(new DebugSections);
  sections->bytes_ = static_cast<std::byte*>(memory);
  sections->size_ = size;
  for (const Part& part : found.parts) {
    if (part.offset > file_size || part.size > file_size - part.offset ||
        !read_part(fd, sections->bytes_, part))
      return nullptr;
  }
  sections->elf_ = elf_memory(reinterpret_cast<char*>(memory), file_size);
  return sections->elf_ != nullptr ? std::move(sections) : nullptr;
}

DebugSections::~DebugSections() {
  if (elf_ != nullptr) elf_end(elf_);
  if (bytes_ != nullptr) ::munmap(bytes_, size_);
}

}  // namespace tailback
