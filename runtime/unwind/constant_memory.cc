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
