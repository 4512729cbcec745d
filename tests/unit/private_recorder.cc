#include "tests/unit/private_recorder.h"

#include <sys/mman.h>

#include <new>

#include "instrument/recorder/thread_state.h"

namespace tailback {

namespace {

constexpr uint64_t kEpoch = 0x10000;
uint64_t now_in_ticks = 0;
ProcessPage page = {kEpoch, 0};

}  // namespace

contract::Segment* segment = nullptr;
ProcessPage* process_page = &page;
__thread CurrentThread current_thread = {1};

// Threads other than the one that made the segment have no record.
contract::ThreadRecord* attach_thread() {
  return nullptr;
}

uint64_t monotonic_ticks() {
  return now_in_ticks;
}

PrivateSegment::PrivateSegment() {
  void* address = mmap(nullptr, sizeof(contract::Segment), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  segment_ = static_cast<contract::Segment*>(address);
  segment_->header.tick_source = contract::TickSource::kMonotonic;
  segment_->header.threshold_ticks.store(UINT64_MAX);
  record().generation.store(kGeneration);
  record().pid.store(kPid);
  record().tid.store(kTid);
  segment = segment_;
  page.epoch = kEpoch;
  current_thread = {kEpoch, &record(), &segment_->held_locks[kRecord]};
}

PrivateSegment::~PrivateSegment() {
  segment = nullptr;
  current_thread = {1};
  munmap(segment_, sizeof(contract::Segment));
}

void set_ticks(uint64_t now) {
  now_in_ticks = now;
}

void advance_ticks(uint64_t by) {
  now_in_ticks += by;
}

void pretend_fork() {
  page.epoch = 0;
}

}  // namespace tailback
