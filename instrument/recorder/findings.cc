#include "instrument/recorder/findings.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include "instrument/recorder/machine.h"
#include "instrument/recorder/stack_capture.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

using contract::Finding;
using contract::FindingKind;
using contract::FindingState;

namespace {

constexpr int kMostPauses = 100;  // of a millisecond each

constexpr uint32_t as_word(FindingState state) {
  return static_cast<uint32_t>(state);
}

Finding* claim() {
  for (Finding& finding : segment->findings) {
    uint32_t expected = as_word(FindingState::kFree);
    if (finding.state.load(std::memory_order_relaxed) == expected &&
        finding.state.compare_exchange_strong(expected, as_word(FindingState::kClaimed))) {
      return &finding;
    }
  }
  segment->header.findings_missed.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

}  // namespace

TAILBACK_COLD Finding* begin_finding(FindingKind kind) {
  const contract::ThreadRecord* record = segment ? current_record() : nullptr;
  if (!record) return nullptr;
  Finding* finding = claim();
  if (!finding) return nullptr;
  finding->pid.store(record->pid.load(std::memory_order_relaxed), std::memory_order_relaxed);
  finding->tid = record->tid.load(std::memory_order_relaxed);
  finding->process = record->process.load(std::memory_order_relaxed);
  finding->kind = static_cast<uint32_t>(kind);
  finding->tick = ticks();
  return finding;
}

TAILBACK_COLD void publish_finding(Finding* finding, uint32_t size) {
  finding->size = size;
  finding->state.store(as_word(FindingState::kFilled), std::memory_order_release);
  segment->header.findings_published.fetch_add(1, std::memory_order_release);
}

TAILBACK_COLD void end_finding(Finding* finding, uint32_t size) {
  publish_finding(finding, size);
  // ThreadSanitizer has made system calls of its own for the report, so one more is allowed, or the
  // program is dying anyway.
  const bool of_sanitizer = finding->kind == static_cast<uint32_t>(FindingKind::kThreadSanitizer);
  if (!may_make_system_calls() && of_sanitizer) find_inherited_filter();
  if (!may_make_system_calls()) return;
  for (int i = 0; i < kMostPauses; ++i) {
    if (finding->state.load(std::memory_order_acquire) != as_word(FindingState::kFilled)) return;
    if (segment->header.observer.load(std::memory_order_relaxed) == 0) return;
    const struct timespec pause = {0, 1000000};
    raw_syscall(SYS_nanosleep, reinterpret_cast<long>(&pause), 0);
  }
}

}  // namespace tailback

using namespace tailback;

TAILBACK_EXPORT char* tailback_begin_finding(uint32_t version, uint32_t kind) {
  if (version != contract::kVersion) {
    if (segment) segment->header.findings_missed.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  Finding* finding = begin_finding(static_cast<FindingKind>(kind));
  return finding ? finding->data : nullptr;
}

TAILBACK_EXPORT void tailback_end_finding(char* data, uint32_t size) {
  end_finding(reinterpret_cast<Finding*>(data - offsetof(Finding, data)), size);
}
