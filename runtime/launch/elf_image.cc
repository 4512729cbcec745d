#include "runtime/launch/elf_image.h"

#include <elf.h>
#include <limits.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <vector>

namespace tailback {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kOwnMachine = EM_AARCH64;
#else
#error "Tailback knows x86-64 and aarch64"
#endif
static_assert(std::endian::native == std::endian::little);

bool read_exactly(int fd, void* to, size_t size, uint64_t offset) {
  return offset <= INT64_MAX - size &&
         pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

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
bool read_loader(int fd, const Elf64_Ehdr& header, std::string& loader) {
  if (header.e_phnum == 0) return true;
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!read_exactly(fd, segments.data(), segments.size() * sizeof(Elf64_Phdr), header.e_phoff)) {
    return false;
  }
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
    image.is_damaged = size < static_cast<ssize_t>(sizeof(header)) ||
                       (image.type != ET_EXEC && image.type != ET_DYN) ||
                       !read_loader(fd, header, image.loader);
  }
  return image;
}

}  // namespace tailback
