// The entry points that instrument/annotations/tailback.h calls when it finds them.
#include "instrument/recorder/allowance.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/wait_sites.h"

using namespace tailback;
using contract::ThreadMark;

namespace {

bool is_in_marked_wait(const contract::ThreadRecord& record) {
  for (const contract::WaitSite& site : record.wait_sites) {
    if (site.key.load(std::memory_order_relaxed) == contract::kMarkedWaitKey) {
      return site.iteration_begin.load(std::memory_order_relaxed) == 0;
    }
  }
  return false;
}

}  // namespace

TAILBACK_EXPORT void tailback_mark_thread(int mark) noexcept {
  contract::ThreadRecord* record = current_record();
  if (!record) return;
  // What the thread has done until now is no iteration of the loop that begins.
  const uint32_t before = record->mark.load(std::memory_order_relaxed);
  if (before != static_cast<uint32_t>(mark) && mark == static_cast<int>(ThreadMark::kLoop)) {
    record->loop_stack = 0;
    for (contract::WaitSite& site : record->wait_sites) {
      site.iteration_begin.store(0, std::memory_order_relaxed);
    }
  }
  record->mark.store(static_cast<uint32_t>(mark), std::memory_order_relaxed);
}

TAILBACK_EXPORT void tailback_allow_blocking(int begins) noexcept {
  contract::ThreadRecord* record = current_record();
  if (!record) return;
  if (begins) {
    begin_allowed_scope(*record, reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()));
  } else {
    end_allowed_scope(*record);
  }
}

// Byte by byte: memory after the NUL may be unmapped.
TAILBACK_EXPORT void tailback_name_iteration(const char* name) noexcept {
  const contract::ThreadRecord* record = current_record();
  if (!record) return;
  contract::IterationName& place = segment->iteration_names[record - segment->threads];
  place.tick.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  uint32_t length = 0;
  while (name && length + 1 < contract::kIterationNameBytes && name[length] != '\0') {
    place.text[length] = name[length];
    ++length;
  }
  place.text[length] = '\0';
  place.tick.store(ticks(), std::memory_order_release);
}

// Programs that were compiled with an older annotation header call it by this name.
TAILBACK_EXPORT void tailback_name_turn(const char* name) noexcept {
  tailback_name_iteration(name);
}

// The iteration ends where the wait begins. The next wait overwrites one that was left without its
// end (longjmp); an end without a beginning does nothing.
TAILBACK_EXPORT void tailback_wait(int begins) noexcept {
  const contract::ThreadRecord* record = current_record();
  if (!record || (!begins && !is_in_marked_wait(*record))) return;
  const uint64_t call_site = CALL_SITE;
  CallScope scope(call_site, Function::tailback_wait, begins);
  IterationBoundary boundary;
  boundary.enter(scope, Function::tailback_wait, contract::kMarkedWaitKey, call_site);
  if (!begins) boundary.leave(scope, 0);
}
