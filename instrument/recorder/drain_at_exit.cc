// At the end of a process whose lock order is tracked: the observer reads its events with the help
// of its maps, which end with the process. So the process waits for the observer, for a short time.
#include <time.h>

#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/stack_capture.h"

namespace tailback {
namespace {

constexpr int kMostPauses = 200;  // of a millisecond each

__attribute__((destructor)) void wait_for_reader() {
  constexpr uint32_t telling = contract::kTrackOrder | contract::kTrackContention;
  if (!segment || !tracks(telling) || !may_make_system_calls()) return;
  const contract::Header& header = segment->header;
  const uint64_t told = header.lock_ring_head.load(std::memory_order_acquire);
  const uint64_t contended = header.contended_used.load(std::memory_order_acquire);
  for (int i = 0; i < kMostPauses; ++i) {
    if ((!tracks(contract::kTrackOrder) ||
         header.lock_ring_tail.load(std::memory_order_acquire) >= told) &&
        (!tracks(contract::kTrackContention) ||
         header.contended_seen.load(std::memory_order_acquire) >= contended)) {
      return;
    }
    if (header.observer.load(std::memory_order_relaxed) == 0) return;
    const struct timespec pause = {0, 1000000};
    raw_syscall(SYS_nanosleep, reinterpret_cast<long>(&pause), 0);
  }
}

}  // namespace
}  // namespace tailback
