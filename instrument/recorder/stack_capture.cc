#include "instrument/recorder/stack_capture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include "instrument/recorder/machine.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

using contract::CaptureState;
using contract::StackCapture;

namespace {

constexpr uint32_t as_word(CaptureState state) {
  return static_cast<uint32_t>(state);
}

bool may_capture = false;
bool is_restricted = false;  // by itself: nothing may be asked any more
uint32_t next_capture = 0;

// Few are in use at a time, so a free one is near, or there is none.
constexpr uint32_t kMostTries = 32;

uint32_t claim_capture() {
  for (uint32_t i = 0; i < kMostTries; ++i) {
    const uint32_t index =
        __atomic_fetch_add(&next_capture, 1, __ATOMIC_RELAXED) % contract::kStackCaptures;
    StackCapture& capture = segment->captures[index];
    uint32_t expected = as_word(CaptureState::kFree);
    if (capture.state.load(std::memory_order_relaxed) != expected) continue;
    if (capture.state.compare_exchange_strong(expected, as_word(CaptureState::kClaimed))) {
      return index + 1;
    }
  }
  segment->header.captures_missed.fetch_add(1, std::memory_order_relaxed);
  return 0;
}

}  // namespace

// The kernel copies: it stops where the mapped memory ends, on any kind of stack.
uint32_t copy_mapped(int pid, uint64_t from, char* to, uint32_t size) {
  constexpr uint64_t kPage = 4096;
  constexpr uint32_t kMostPages = contract::kStackCaptureBytes / kPage + 2;
  struct iovec remote[kMostPages];
  uint32_t pages = 0;
  for (uint64_t at = from; at < from + size && pages < kMostPages; ++pages) {
    const uint64_t page_end = (at | (kPage - 1)) + 1;
    const uint64_t end = page_end < from + size ? page_end : from + size;
    remote[pages] = {reinterpret_cast<void*>(at), end - at};
    at = end;
  }
  struct iovec local = {to, size};
  const long copied = raw_syscall(SYS_process_vm_readv, pid, reinterpret_cast<long>(&local), 1,
                                  reinterpret_cast<long>(remote), pages, 0);
  return copied > 0 ? static_cast<uint32_t>(copied) : 0;
}

TAILBACK_COLD uint32_t capture_stack(const contract::ThreadRecord& record) {
  if (!may_capture) {
    segment->header.captures_forbidden.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  const uint32_t claimed = claim_capture();
  if (claimed == 0) return 0;
  StackCapture& capture = segment->captures[claimed - 1];
  const int pid = record.pid.load(std::memory_order_relaxed);
  capture.pid.store(pid, std::memory_order_relaxed);
  capture.tick = ticks();
  capture_context(capture.context);
  capture.stack_begin = capture.context.stack_pointer & ~uint64_t{7};
  capture.size = copy_mapped(pid, capture.stack_begin, capture.stack, contract::kStackCaptureBytes);
  if (capture.size == 0) {
    segment->header.captures_forbidden.fetch_add(1, std::memory_order_relaxed);
    discard_capture(claimed);
    return 0;
  }
  capture.state.store(as_word(CaptureState::kFilled), std::memory_order_release);
  return claimed;
}

void discard_capture(uint32_t capture) {
  segment->captures[capture - 1].state.store(as_word(CaptureState::kFree),
                                             std::memory_order_release);
}

void find_inherited_filter() {
  if (is_restricted) return;
  static const char path[] = "/proc/self/status";
  const long fd =
      raw_syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[4096];
  const long length = raw_syscall(SYS_read, fd, reinterpret_cast<long>(text), sizeof text - 1);
  raw_syscall(SYS_close, fd);
  if (length <= 0) return;
  text[length] = '\0';
  const char* line = strstr(text, "\nSeccomp:\t");
  may_capture = line && line[sizeof "\nSeccomp:\t" - 1] == '0';
}

void find_inherited_filter_once() {
  static std::atomic<bool> has_read;
  if (has_read.load(std::memory_order_relaxed) || has_read.exchange(true)) return;
  find_inherited_filter();
}

bool may_make_system_calls() {
  return may_capture;
}

void capture_no_more() {
  is_restricted = true;
  may_capture = false;
}

}  // namespace tailback
