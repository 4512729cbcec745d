// The recorder's half of libtailback-free-hooks.so (instrument/free_hooks): locks in freed memory
// have ended.
#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/lock_order.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

namespace {

TAILBACK_INLINE void end_locks_in(void* memory) {
  if (!memory || !tracks(contract::kTrackOrder) || !free_tells_size) return;
  next_lock_generations(reinterpret_cast<uint64_t>(memory), next.malloc_usable_size(memory));
  contract::ProcessRecord* record = process_record();
  if (record && record->sees_frees.load(std::memory_order_relaxed) == 0) {
    record->sees_frees.store(1, std::memory_order_relaxed);
  }
}

}  // namespace

extern "C" {

TAILBACK_EXPORT void tailback_free(void* memory) noexcept {
  // A call of the loader's, before any constructor: ThreadSanitizer is not ready for the search for
  // the next definition. The few bytes are leaked.
  if (!next_is_known) return;
  end_locks_in(memory);
  next.free(memory);
}

// If the memory stays in place, its locks still count as new ones.
TAILBACK_EXPORT void* tailback_realloc(void* memory, size_t size) noexcept {
  end_locks_in(memory);
  return next.realloc(memory, size);
}
}
