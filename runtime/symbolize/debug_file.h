// The file that holds a stripped module's symbols and debug information. Local files only; nothing
// is fetched from anywhere.
#pragma once

#include <memory>
#include <string>

#include "runtime/capture/module_image.h"

namespace tailback {

// An open ELF file, read and not mapped, so that nothing that happens to it can harm us.
class ElfFile {
 public:
  explicit ElfFile(int fd) : fd_(fd) {}  // takes the descriptor
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  int descriptor() const { return fd_; }
  // nullptr if it is no ELF file. Until release_elf(), which frees the copies of sections that
  // libelf has made.
  Elf* elf();
  void release_elf();

 private:
  int fd_;
  Elf* elf_ = nullptr;
};

// Looks by build id under /usr/lib/debug/.build-id, then by .gnu_debuglink beside the module and
// under /usr/lib/debug; first as the target sees these paths, then as we do. The file must belong
// to the module: same build id, or the link's checksum. nullptr if there is none.
std::unique_ptr<ElfFile> find_debug_file(int pid, const std::string& module, ModuleImage& image);

}  // namespace tailback
