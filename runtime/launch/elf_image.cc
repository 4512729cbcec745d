#include "runtime/launch/elf_image.h"

#include <elf.h>
#include <limits.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "runtime/capture/elf_headers.h"

namespace tailback {
namespace {

static_assert(std::endian::native == std::endian::little);

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "x86";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "arm";
    case EM_AARCH64:
      return "aarch64";
    case EM_PPC:
    case EM_PPC64:
      return "powerpc";
    case EM_S390:
      return "s390";
    case EM_RISCV:
      return "riscv";
    case EM_MIPS:
      return "mips";
    default:
      return fmt::format("machine {}", machine);
  }
}

// False: the file ends too early or the headers contradict themselves.
bool read_segments(int fd, const Elf64_Ehdr& header, std::vector<Elf64_Phdr>& segments) {
  if (header.e_phnum == 0) return true;
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  segments.resize(header.e_phnum);
  return read_exactly(fd, segments.data(), segments.size() * sizeof(Elf64_Phdr), header.e_phoff);
}

// Likewise.
bool read_loader(int fd, const std::vector<Elf64_Phdr>& segments, std::string& loader) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_filesz < 2 || segment.p_filesz > PATH_MAX) return false;
    std::string path(segment.p_filesz, '\0');
    if (!read_exactly(fd, path.data(), path.size(), segment.p_offset)) return false;
    if (path.back() != '\0') return false;
    loader = path.c_str();
    return !loader.empty();
  }
  return true;
}

// Whether a segment of notes has one of Go's: its build id.
bool has_go_note(int fd, const Elf64_Phdr& segment) {
  constexpr uint64_t kMostNotes = 64 * 1024;
  if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNotes) return false;
  std::vector<char> notes(segment.p_filesz);
  if (!read_exactly(fd, notes.data(), notes.size(), segment.p_offset)) return false;
  const uint64_t alignment = segment.p_align == 8 ? 8 : 4;
  const auto padded = [&](uint64_t size) { return (size + alignment - 1) & ~(alignment - 1); };
  constexpr char kGo[4] = "Go\0";
  for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const uint64_t name = at + sizeof note;
    if (note.n_namesz == sizeof kGo && name + sizeof kGo <= notes.size() &&
        std::memcmp(notes.data() + name, kGo, sizeof kGo) == 0) {
      return true;
    }
    at = name + padded(note.n_namesz) + padded(note.n_descsz);
  }
  return false;
}

// A build without an id still has the section that says what it was made of.
bool has_go_section(int fd, const Elf64_Ehdr& header) {
  constexpr uint64_t kMostNames = 1024 * 1024;
  constexpr char kName[] = ".go.buildinfo";
  const auto sections = read_section_headers(fd, header);
  if (!sections || header.e_shstrndx >= sections->size()) return false;
  const Elf64_Shdr& table = (*sections)[header.e_shstrndx];
  if (table.sh_type != SHT_STRTAB || table.sh_size > kMostNames) return false;
  std::vector<char> names(table.sh_size);
  if (!read_exactly(fd, names.data(), names.size(), table.sh_offset)) return false;
  return std::any_of(sections->begin(), sections->end(), [&](const Elf64_Shdr& section) {
    return section.sh_name < names.size() && names.size() - section.sh_name >= sizeof kName &&
           std::memcmp(names.data() + section.sh_name, kName, sizeof kName) == 0;
  });
}

}  // namespace

bool ElfImage::is_native() const {
  return is_64_bit && is_little_endian && machine == kOwnMachine;
}

std::string ElfImage::architecture() const {
  return fmt::format("{}{}", is_64_bit ? "" : "32-bit ", machine_name(machine));
}

std::optional<ElfImage> read_elf_image(int fd) {
  Elf64_Ehdr header{};
  const ssize_t size = pread(fd, &header, sizeof(header), 0);
  if (size < SELFMAG || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;

  ElfImage image;
  // Both classes have type and machine at the same place.
  if (size < static_cast<ssize_t>(offsetof(Elf32_Ehdr, e_version))) {
    image.is_damaged = true;
    return image;
  }
  image.is_64_bit = header.e_ident[EI_CLASS] == ELFCLASS64;
  image.is_little_endian = header.e_ident[EI_DATA] == ELFDATA2LSB;
  image.type = image.is_little_endian ? header.e_type : __builtin_bswap16(header.e_type);
  image.machine = image.is_little_endian ? header.e_machine : __builtin_bswap16(header.e_machine);
  if (image.is_native()) {
    std::vector<Elf64_Phdr> segments;
    image.is_damaged = size < static_cast<ssize_t>(sizeof(header)) ||
                       (image.type != ET_EXEC && image.type != ET_DYN) ||
                       !read_segments(fd, header, segments) ||
                       !read_loader(fd, segments, image.loader);
    image.is_go = std::any_of(segments.begin(), segments.end(),
                              [fd](const Elf64_Phdr& s) { return has_go_note(fd, s); }) ||
                  (!image.is_damaged && has_go_section(fd, header));
  }
  return image;
}

}  // namespace tailback
