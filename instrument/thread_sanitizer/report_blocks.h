// One report of ThreadSanitizer as the blocks of a finding, by its debugging interface. No
// installed header declares the interface: these are compiler-rt's signatures
// (lib/tsan/rtl/tsan_interface.h and tsan_debugging.cpp).
//
// To be called within __tsan_on_report, which runs on the racing thread with ThreadSanitizer's
// locks held.
#pragma once

#include <stdint.h>

#include "instrument/contract/finding_writer.h"

#define TAILBACK_TSAN_API extern "C" __attribute__((weak))
TAILBACK_TSAN_API int __tsan_get_report_data(void* report, const char** description, int* count,
                                             int* stack_count, int* access_count,
                                             int* location_count, int* mutex_count,
                                             int* thread_count, int* unique_thread_count,
                                             void** sleep_trace, unsigned long trace_size);
TAILBACK_TSAN_API int __tsan_get_report_stack(void* report, unsigned long index, void** trace,
                                              unsigned long trace_size);
TAILBACK_TSAN_API int __tsan_get_report_mop(void* report, unsigned long index, int* thread,
                                            void** address, int* size, int* is_write,
                                            int* is_atomic, void** trace, unsigned long trace_size);
TAILBACK_TSAN_API int __tsan_get_report_loc(void* report, unsigned long index, const char** type,
                                            void** address, unsigned long* start,
                                            unsigned long* size, int* thread, int* fd,
                                            int* is_suppressable, void** trace,
                                            unsigned long trace_size);
TAILBACK_TSAN_API int __tsan_get_report_mutex(void* report, unsigned long index,
                                              unsigned long* mutex, void** address,
                                              int* is_destroyed, void** trace,
                                              unsigned long trace_size);
TAILBACK_TSAN_API int __tsan_get_report_thread(void* report, unsigned long index, int* thread,
                                               unsigned long long* kernel_id, int* is_running,
                                               const char** name, int* parent, void** trace,
                                               unsigned long trace_size);
TAILBACK_TSAN_API int __tsan_get_report_unique_tid(void* report, unsigned long index, int* thread);
#undef TAILBACK_TSAN_API

namespace tailback {

// ThreadSanitizer keeps no longer stacks (kStackTraceMax).
inline constexpr unsigned long kReportFrames = 256;
inline constexpr int kReportParts = 64;  // of each kind

inline void clear_trace(void** trace) {
  for (unsigned long i = 0; i < kReportFrames; ++i) {
    trace[i] = nullptr;
    asm volatile("" ::: "memory");  // else a compiler would call memset
  }
}

inline int at_most_parts(int count) {
  return count < kReportParts ? count : kReportParts;
}

// False: this runtime lacks the interface.
inline bool write_report(void* report, contract::FindingWriter& writer) {
  using contract::BlockKind;
  using contract::FindingBlock;
  if (!__tsan_get_report_data || !__tsan_get_report_mop || !__tsan_get_report_stack ||
      !__tsan_get_report_loc || !__tsan_get_report_mutex || !__tsan_get_report_thread) {
    return false;
  }
  void* trace[kReportFrames];
  const auto flag = [](int value, contract::BlockFlags bit) { return value ? bit : uint32_t{0}; };
  const char* text = nullptr;
  int count = 0, stacks = 0, accesses = 0, locations = 0, mutexes = 0, threads = 0, used = 0;
  clear_trace(trace);
  __tsan_get_report_data(report, &text, &count, &stacks, &accesses, &locations, &mutexes, &threads,
                         &used, trace, kReportFrames);
  if (FindingBlock* block = writer.add(BlockKind::kReport)) writer.set_text(*block, text);
  if (trace[0]) writer.add(BlockKind::kSleep, trace, kReportFrames);
  for (int i = 0; i < at_most_parts(accesses); ++i) {
    int thread = 0, size = 0, is_write = 0, is_atomic = 0;
    void* address = nullptr;
    clear_trace(trace);
    __tsan_get_report_mop(report, i, &thread, &address, &size, &is_write, &is_atomic, trace,
                          kReportFrames);
    FindingBlock* block = writer.add(BlockKind::kAccess, trace, kReportFrames);
    if (!block) break;
    block->thread = thread;
    block->address = reinterpret_cast<uint64_t>(address);
    block->size = static_cast<uint64_t>(size);
    block->flags = flag(is_write, contract::kWrite) | flag(is_atomic, contract::kAtomic);
  }
  for (int i = 0; i < at_most_parts(stacks); ++i) {
    clear_trace(trace);
    __tsan_get_report_stack(report, i, trace, kReportFrames);
    if (!writer.add(BlockKind::kStack, trace, kReportFrames)) break;
  }
  for (int i = 0; i < at_most_parts(locations); ++i) {
    int thread = 0, fd = 0, is_suppressable = 0;
    void* address = nullptr;
    unsigned long start = 0, size = 0;
    text = nullptr;
    clear_trace(trace);
    __tsan_get_report_loc(report, i, &text, &address, &start, &size, &thread, &fd, &is_suppressable,
                          trace, kReportFrames);
    FindingBlock* block = writer.add(BlockKind::kLocation, trace, kReportFrames);
    if (!block) break;
    writer.set_text(*block, text);
    block->address = reinterpret_cast<uint64_t>(address);
    block->start = start;
    block->size = size;
    block->thread = thread;
    block->number = fd;
  }
  for (int i = 0; i < at_most_parts(mutexes); ++i) {
    unsigned long id = 0;
    void* address = nullptr;
    int is_destroyed = 0;
    clear_trace(trace);
    __tsan_get_report_mutex(report, i, &id, &address, &is_destroyed, trace, kReportFrames);
    FindingBlock* block = writer.add(BlockKind::kMutex, trace, kReportFrames);
    if (!block) break;
    block->number = static_cast<int64_t>(id);
    block->address = reinterpret_cast<uint64_t>(address);
    block->flags = flag(is_destroyed, contract::kDestroyed);
  }
  for (int i = 0; i < at_most_parts(threads); ++i) {
    int thread = 0, is_running = 0, parent = 0;
    unsigned long long kernel_id = 0;
    text = nullptr;
    clear_trace(trace);
    __tsan_get_report_thread(report, i, &thread, &kernel_id, &is_running, &text, &parent, trace,
                             kReportFrames);
    FindingBlock* block = writer.add(BlockKind::kThread, trace, kReportFrames);
    if (!block) break;
    writer.set_text(*block, text);
    block->thread = thread;
    block->parent = parent;
    block->number = static_cast<int64_t>(kernel_id);
    block->flags = flag(is_running, contract::kRunning);
  }
  for (int i = 0; __tsan_get_report_unique_tid && i < at_most_parts(used); ++i) {
    int thread = 0;
    __tsan_get_report_unique_tid(report, i, &thread);
    FindingBlock* block = writer.add(BlockKind::kThreadUsed);
    if (!block) break;
    block->thread = thread;
  }
  return true;
}

}  // namespace tailback
