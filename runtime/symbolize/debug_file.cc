#include "runtime/symbolize/debug_file.h"

#include <elfutils/libdwelf.h>
#include <libelf.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <string_view>
#include <vector>

#include "runtime/capture/regular_file.h"

namespace tailback {
namespace {

constexpr char kDebugRoot[] = "/usr/lib/debug";

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

bool has_checksum(int fd, GElf_Word wanted) {
  std::vector<unsigned char> piece(256 * 1024);
  uLong sum = crc32(0, nullptr, 0);
  off_t offset = 0;
  while (true) {
    const ssize_t n = ::pread(fd, piece.data(), piece.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) return sum == wanted;
    sum = crc32(sum, piece.data(), static_cast<uInt>(n));
    offset += n;
  }
}

struct Link {
  std::string name;
  GElf_Word checksum = 0;
};

Link debug_link(Elf* elf) {
  Link link;
  const char* name = elf != nullptr ? dwelf_elf_gnu_debuglink(elf, &link.checksum) : nullptr;
  // A name that leads elsewhere is none.
  if (name != nullptr && std::string_view(name).find('/') == std::string_view::npos)
    link.name = name;
  return link;
}

std::unique_ptr<ElfFile> open_if_right(const std::string& path, const std::string& build_id,
                                       const Link& link) {
  struct stat status;
  const int fd = open_regular_file(path, status);
  if (fd < 0) return nullptr;
  auto file = std::make_unique<ElfFile>(fd);
  if (file->elf() == nullptr) return nullptr;
  if (!build_id.empty()) {
    const void* bytes = nullptr;
    const ssize_t size = dwelf_elf_gnu_build_id(file->elf(), &bytes);
    if (size > 0)
      return std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size)) ==
                     build_id
                 ? std::move(file)
                 : nullptr;
  }
  return !link.name.empty() && has_checksum(fd, link.checksum) ? std::move(file) : nullptr;
}

}  // namespace

ElfFile::~ElfFile() {
  release_elf();
  ::close(fd_);
}

Elf* ElfFile::elf() {
  if (elf_ != nullptr) return elf_;
  elf_version(EV_CURRENT);
  elf_ = elf_begin(fd_, ELF_C_READ, nullptr);
  if (elf_ != nullptr && elf_kind(elf_) != ELF_K_ELF) release_elf();
  return elf_;
}

void ElfFile::release_elf() {
  if (elf_ != nullptr) elf_end(elf_);
  elf_ = nullptr;
}

std::unique_ptr<ElfFile> find_debug_file(int pid, const std::string& module, ModuleImage& image) {
  const std::string& build_id = image.build_id();
  const Link link = debug_link(image.elf());
  std::vector<std::string> paths;
  if (build_id.size() > 1) {
    paths.push_back(std::string(kDebugRoot) + "/.build-id/" + hex(build_id.substr(0, 1)) + "/" +
                    hex(build_id.substr(1)) + ".debug");
  }
  const size_t slash = module.rfind('/');
  if (!link.name.empty() && slash != std::string::npos) {
    const std::string folder = module.substr(0, slash + 1);
    paths.push_back(folder + ".debug/" + link.name);
    paths.push_back(kDebugRoot + folder + link.name);
    if (module != folder + link.name) paths.push_back(folder + link.name);
  }
  for (const std::string& root : {"/proc/" + std::to_string(pid) + "/root", std::string()}) {
    for (const std::string& path : paths) {
      if (auto file = open_if_right(root + path, build_id, link)) return file;
    }
  }
  return nullptr;
}

}  // namespace tailback
