#include "runtime/locks/lock_place.h"

#include <algorithm>

namespace tailback {

LockPlace place_of_lock(const ModuleMap& modules, uint64_t address) {
  const Mapping* const mapping = modules.find(RemoteAddress(address));
  if (mapping == nullptr) return LockPlace::kHeap;
  if (mapping->is_file()) return LockPlace::kModule;
  if (mapping->path.starts_with("[stack")) return LockPlace::kStack;
  if (!mapping->path.empty()) return LockPlace::kHeap;
  // Below a thread's stack lies its guard. So does the rest of one heap of malloc's below the next,
  // but each begins at a multiple of 64 MiB.
  constexpr uint64_t kHeapAlignment = uint64_t{64} << 20;
  if (mapping->begin.value % kHeapAlignment == 0) return LockPlace::kHeap;
  const auto& all = modules.mappings();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Mapping& one) {
    return one.end.value == mapping->begin.value;
  });
  const bool guarded = it != all.end() && it->path.empty() && !it->writable && !it->executable;
  return guarded ? LockPlace::kStack : LockPlace::kHeap;
}

}  // namespace tailback
