#include "runtime/unwind/engine.h"

namespace tailback {

bool ConstantMemory::read_word(RemoteAddress address, uint64_t& out) {
  if (snapshot_->read_stack(address, &out, sizeof out)) return true;
  const ModuleFiles::Place* place = locate(address);
  if (place == nullptr || place->mapping->writable) return false;
  const uint64_t at = address.value - place->bias;
  if (place->image->read(at, &out, sizeof out)) return true;
  // Readers of bytes ask for the aligned word around them, which can stick out of the segment.
  out = 0;
  auto* bytes = reinterpret_cast<unsigned char*>(&out);
  size_t n = 0;
  while (n < sizeof out && place->image->read(at + n, bytes + n, 1)) ++n;
  return n > 0;
}

bool ConstantMemory::is_signal_return(RemoteAddress address) {
  uint64_t code[2];
  if (!read_word(address, code[0]) || !read_word(address + 8, code[1])) return false;
#if defined(__x86_64__)
  // 48 c7 c0 0f 00 00 00   mov $15, %rax
  // 0f 05                  syscall
  return code[0] == 0x0f0000000fc0c748 && (code[1] & 0xff) == 0x05;
#elif defined(__aarch64__)
  // d2801168   mov x8, #139
  // d4000001   svc #0
  return code[0] == 0xd4000001d2801168;
#endif
}

const ModuleFiles::Place* ConstantMemory::locate(RemoteAddress address) {
  if (mapping_ == nullptr || address < mapping_->begin || !(address < mapping_->end)) {
    if (snapshot_->modules == nullptr) return nullptr;
    mapping_ = snapshot_->modules->find(address);
    place_ = mapping_ == nullptr ? std::nullopt
                                 : files_->locate(snapshot_->pid, *snapshot_->modules, address);
  }
  return place_ ? &*place_ : nullptr;
}

}  // namespace tailback
