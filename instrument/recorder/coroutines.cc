// Coroutines that were created and have not begun, as instrument/annotations/tailback.h declares
// them: where each was created, until it begins. One that is destroyed before it begins is a
// finding.
#include "instrument/contract/finding_writer.h"
#include "instrument/recorder/findings.h"
#include "instrument/recorder/machine.h"
#include "instrument/recorder/stack_capture.h"
#include "instrument/recorder/thread_state.h"

using namespace tailback;

namespace {

constexpr uint32_t kPlaces = 4096;  // a power of two
constexpr uint32_t kTries = 16;
constexpr uint32_t kStackBytes = 2048;
constexpr uint32_t kWaitedFor = 32;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kBeingFilled = 1;  // a key that is no promise's: the place is being filled

enum What { kMade = 1, kBegins = 2, kDropped = 3 };

struct Waiting {
  std::atomic<uint64_t> promise;  // 0: free
  uint64_t stack_begin;
  uint32_t size;  // of `made_at`
  struct {
    contract::Context context;
    char stack[kStackBytes];
  } made_at;
};

// A forked child has copies of these, as it has copies of the coroutines.
constinit Waiting waiting[kPlaces] = {};  // zeros that nobody writes: no memory until it is used

Waiting& place(uint64_t promise, uint32_t attempt) {
  const uint64_t hash = contract::spread(promise >> 4) >> 32;
  return waiting[(hash + attempt) % kPlaces];
}

Waiting* find(uint64_t promise) {
  for (uint32_t i = 0; i < kTries; ++i) {
    Waiting& one = place(promise, i);
    if (one.promise.load(std::memory_order_acquire) == promise) return &one;
  }
  return nullptr;
}

// Not by memcpy: AddressSanitizer's would report the gaps between variables.
void copy_words(char* to, uint64_t from, uint32_t size) {
  for (uint32_t i = 0; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
    *reinterpret_cast<uint64_t*>(to + i) = *reinterpret_cast<const uint64_t*>(from + i);
    asm volatile("" ::: "memory");
  }
}

// The page of the stack pointer is mapped; for the pages after it this asks the kernel.
TAILBACK_COLD void remember(const contract::ThreadRecord& record, Waiting& one) {
  capture_context(one.made_at.context);
  one.stack_begin = one.made_at.context.stack_pointer & ~uint64_t{7};
  const uint64_t in_page = kPage - one.stack_begin % kPage;
  const uint32_t sure = in_page < kStackBytes ? static_cast<uint32_t>(in_page) : kStackBytes;
  copy_words(one.made_at.stack, one.stack_begin, sure);
  uint32_t copied = sure;
  if (copied < kStackBytes && may_make_system_calls()) {
    copied += copy_mapped(record.pid.load(std::memory_order_relaxed), one.stack_begin + sure,
                          one.made_at.stack + sure, kStackBytes - sure);
  }
  one.size = static_cast<uint32_t>(sizeof one.made_at.context) + copied;
}

void note_made(const contract::ThreadRecord& record, uint64_t promise) {
  find_inherited_filter_once();
  for (uint32_t i = 0; i < kTries; ++i) {
    Waiting& one = place(promise, i);
    uint64_t expected = 0;
    if (one.promise.load(std::memory_order_relaxed) == 0 &&
        one.promise.compare_exchange_strong(expected, kBeingFilled)) {
      remember(record, one);
      one.promise.store(promise, std::memory_order_release);
      return;
    }
  }
}

TAILBACK_COLD void tell(const Waiting& one) {
  contract::Finding* finding = begin_finding(contract::FindingKind::kNeverAwaited);
  if (!finding) return;
  contract::FindingWriter writer(finding->data);
  contract::FindingBlock* block =
      writer.add_bytes(contract::BlockKind::kStackCopy, &one.made_at, one.size);
  if (block) block->address = one.stack_begin;
  // Waits for the observer after the first ones, as the program may end at once, and its maps with
  // it. A program that destroys many does not wait for more.
  static std::atomic<uint32_t> told;
  if (told.fetch_add(1, std::memory_order_relaxed) < kWaitedFor) {
    end_finding(finding, writer.size());
  } else {
    publish_finding(finding, writer.size());
  }
}

}  // namespace

TAILBACK_EXPORT void tailback_coroutine(const void* promise, int what) noexcept {
  const contract::ThreadRecord* record = segment ? current_record() : nullptr;
  if (!record) return;
  const auto key = reinterpret_cast<uint64_t>(promise);
  if (what == kMade) {
    note_made(*record, key);
    return;
  }
  Waiting* one = find(key);
  if (!one) return;
  if (what == kDropped) tell(*one);
  one->promise.store(0, std::memory_order_release);
}
