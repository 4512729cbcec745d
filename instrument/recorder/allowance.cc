#include "instrument/recorder/allowance.h"

namespace tailback {

using contract::ThreadRecord;
using contract::WaitSite;

namespace {

// The part of an open scope that is within an iteration.
uint64_t open_part(uint64_t since, uint64_t begin, uint64_t end) {
  const uint64_t from = since > begin ? since : begin;
  return end > from ? end - from : 0;
}

}  // namespace

void begin_allowed_scope(ThreadRecord& record, uint64_t stack_pointer) {
  if (blocking_is_allowed(record)) {
    ++record.allowed_depth;
    return;
  }
  record.allowed_depth = 1;
  record.allowed_stack = stack_pointer;
  record.allowed_since.store(ticks(), std::memory_order_release);
}

void end_allowed_scope(ThreadRecord& record) {
  if (!blocking_is_allowed(record)) return;
  if (record.allowed_depth > 1) {
    --record.allowed_depth;
  } else {
    end_allowance(record, ticks());
  }
}

TAILBACK_COLD void end_allowance(ThreadRecord& record, uint64_t now) {
  const uint64_t since = record.allowed_since.load(std::memory_order_relaxed);
  // The sums first: the observer, reading between the two stores, counts the time twice and sees no
  // stall yet; in the other order it would see a stall that is none.
  for (WaitSite& site : record.wait_sites) {
    const uint64_t begin = site.iteration_begin.load(std::memory_order_relaxed);
    if (begin != 0) site.allowed_ticks += open_part(since, begin, now);
  }
  record.allowed_since.store(0, std::memory_order_release);
}

uint64_t allowed_within(const ThreadRecord& record, const WaitSite& site, uint64_t begin,
                        uint64_t end) {
  const uint64_t since = record.allowed_since.load(std::memory_order_relaxed);
  return site.allowed_ticks + (since == 0 ? 0 : open_part(since, begin, end));
}

}  // namespace tailback
