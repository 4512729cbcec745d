#include "runtime/observations/segment_copy.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace tailback {

namespace {

using contract::Segment;

// The entries of a table that may have changed: `count` of them from `first` on, around its end.
struct Window {
  uint64_t first = 0;
  uint64_t count = 0;
};

// From the position that was read next at the last refresh to the one that is filled next.
Window window_of(uint64_t tail, uint64_t head, uint64_t capacity) {
  if (head < tail || head - tail > capacity) return {0, capacity};
  return {tail, head - tail};
}

// Calls f(name, table, window) for the tables that a reader of this kind reads.
template <typename F>
void each_table(F&& f, SegmentReader reader, const contract::Header& known,
                const contract::Header& now) {
  const uint64_t threads =
      std::min(now.threads_used.load(std::memory_order_acquire), contract::kThreadCapacity);
  const uint64_t processes =
      std::min(now.processes_used.load(std::memory_order_acquire), contract::kProcessCapacity);
  f("processes", &Segment::processes, Window{0, processes});
  if (reader != SegmentReader::kLockOrder) {
    f("threads", &Segment::threads, Window{0, threads});
    f("open_ended", &Segment::open_ended, Window{0, threads});
    f("semaphores", &Segment::semaphores, Window{0, contract::kSemaphoreUses});
  }
  if (reader == SegmentReader::kSession) {
    f("ring", &Segment::ring,
      window_of(known.ring_tail.load(), now.ring_head.load(), contract::kRingCapacity));
    f("iteration_names", &Segment::iteration_names, Window{0, threads});
    f("held_locks", &Segment::held_locks, Window{0, threads});
    f("findings", &Segment::findings, Window{0, contract::kFindings});
  } else if (reader == SegmentReader::kLockOrder) {
    f("lock_ring", &Segment::lock_ring,
      window_of(known.lock_ring_tail.load(), now.lock_ring_head.load(),
                contract::kLockRingCapacity));
    f("captures", &Segment::captures, Window{0, contract::kStackCaptures});
    f("lock_origins", &Segment::lock_origins, Window{0, contract::kLockOrigins});
  } else {
    f("contended", &Segment::contended,
      Window{0, now.contended_used.load() != 0 ? contract::kContendedLocks : 0});
  }
}

template <typename T>
bool is_same(const T& one, const T& other) {
  return std::memcmp(static_cast<const void*>(&one), static_cast<const void*>(&other),
                     sizeof one) == 0;
}

template <typename T>
void copy_bytes(T& to, const T& from) {
  std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
}

template <typename T>
void copy_entry(T& to, const T& from) {
  copy_bytes(to, from);
}

// Most of an entry is not in use, and pages that are read take memory.
void copy_entry(contract::StackCapture& to, const contract::StackCapture& from) {
  if (from.state.load() == static_cast<uint32_t>(contract::CaptureState::kFree)) {
    to.state.store(from.state.load());
  } else {
    copy_bytes(to, from);
  }
}
void copy_entry(contract::Finding& to, const contract::Finding& from) {
  if (from.state.load() == static_cast<uint32_t>(contract::FindingState::kFree)) {
    to.state.store(from.state.load());
  } else {
    copy_bytes(to, from);
  }
}

bool is_call_of(const contract::ThreadRecord& copy, uint32_t function, uint64_t entered) {
  return copy.call.function.load() == function && copy.call.entered.load() == entered;
}

// The call of the copy is whole: the thread did not go on while it was copied.
void copy_entry(contract::ThreadRecord& to, const contract::ThreadRecord& from) {
  constexpr int kTries = 4;
  for (int i = 0; i < kTries; ++i) {
    const uint32_t function = from.call.function.load(std::memory_order_acquire);
    const uint64_t entered = from.call.entered.load(std::memory_order_acquire);
    copy_bytes(to, from);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (is_call_of(to, function, entered) && is_call_of(from, function, entered)) return;
  }
  to.call.function.store(0);  // it is in none for long
}

}  // namespace

void SegmentDeleter::operator()(Segment* segment) const {
  munmap(segment, sizeof(Segment));
}

OwnSegment make_segment() {
  void* const memory = mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return OwnSegment(static_cast<Segment*>(memory));
}

SegmentCopy::SegmentCopy(Segment& live, SegmentReader reader)
    : live_(live), reader_(reader), copy_(make_segment()), known_(make_segment()) {
  copy_bytes(copy_->header, live.header);
  copy_bytes(known_->header, live.header);
}

void SegmentCopy::pass_on() {
  each_table(
      [&](const char*, auto table, Window window) {
        for (uint64_t i = 0; i < window.count; ++i) {
          const uint64_t at = (window.first + i) % std::size((*copy_).*table);
          auto& changed = ((*copy_).*table)[at];
          auto& known = ((*known_).*table)[at];
          if (!is_same(changed, known)) pass_changes_on(known, changed, (live_.*table)[at]);
        }
      },
      reader_, known_->header, copy_->header);
  pass_changes_on(known_->header, copy_->header, live_.header);
}

Json SegmentCopy::refresh() {
  pass_on();
  // The first changes are from a header of zeros.
  if (std::exchange(is_first_, false)) {
    std::memset(static_cast<void*>(&known_->header), 0, sizeof known_->header);
  }
  Json changes = Json::object();
  copy_bytes(copy_->header, live_.header);
  each_table(
      [&](const char* name, auto table, Window window) {
        Json entries = Json::object();
        for (uint64_t i = 0; i < window.count; ++i) {
          const uint64_t at = (window.first + i) % std::size((*copy_).*table);
          auto& copy = ((*copy_).*table)[at];
          copy_entry(copy, (live_.*table)[at]);
          auto& known = ((*known_).*table)[at];
          if (!is_same(copy, known)) take_changes(std::to_string(at), known, copy, entries);
        }
        if (!entries.empty()) changes[name] = std::move(entries);
      },
      reader_, known_->header, copy_->header);
  take_changes("header", known_->header, copy_->header, changes);
  return changes;
}

void apply_segment_changes(Segment& segment, const Json& changes) {
  if (changes.contains("header")) apply_changes(segment.header, changes["header"]);
  for (const SegmentReader reader :
       {SegmentReader::kSession, SegmentReader::kLockOrder, SegmentReader::kContention}) {
    each_table(
        [&](const char* name, auto table, Window) {
          const auto entries = changes.find(name);
          if (entries != changes.end()) apply_changes(segment.*table, *entries);
        },
        reader, segment.header, segment.header);
  }
}

}  // namespace tailback
