#include "instrument/recorder/thread_state.h"

#include <sys/prctl.h>
#include <time.h>

#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/pause.h"

namespace tailback {

using contract::ProcessRecord;
using contract::ProcessState;
using contract::ThreadRecord;
using contract::ThreadState;

namespace {

ProcessPage detached_page = {0, 0};

constexpr uint64_t kProcessIndexMask = contract::kProcessCapacity - 1;
static_assert((contract::kProcessCapacity & kProcessIndexMask) == 0);

// No process has this epoch, so the first call of a thread always calls attach_thread().
constexpr uint64_t kNeverAttached = 1;

constexpr uint32_t as_word(ProcessState state) {
  return static_cast<uint32_t>(state);
}
constexpr uint32_t as_word(ThreadState state) {
  return static_cast<uint32_t>(state);
}

int raw_pid() {
  return static_cast<int>(raw_syscall(SYS_getpid));
}
int raw_tid() {
  return static_cast<int>(raw_syscall(SYS_gettid));
}

bool no_more_attaching = false;

// The calling thread's id as libc knows it, read from a mutex that the thread holds. Wrong only
// where libc did not make the thread or the process. 0: unknown.
int tid_from_libc() {
  if (under_thread_sanitizer) return 0;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  if (next.pthread_mutex_trylock(&mutex) != 0) return 0;
  const int owner = mutex.__data.__owner;
  next.pthread_mutex_unlock(&mutex);
  return owner;
}

ProcessRecord* claim_process_record(int pid) {
  contract::Header& header = segment->header;
  for (uint32_t i = 0; i < contract::kProcessCapacity; ++i) {
    ProcessRecord& record = segment->processes[i];
    uint32_t expected = as_word(ProcessState::kFree);
    if (record.state.load(std::memory_order_relaxed) != expected) continue;
    if (!record.state.compare_exchange_strong(expected, as_word(ProcessState::kClaimed))) continue;
    record.generation.fetch_add(1, std::memory_order_relaxed);
    record.pid.store(pid, std::memory_order_relaxed);
    record.attached = ticks();
    record.pause_ready.store(pause_handler_in_place() ? 1 : 0, std::memory_order_relaxed);
    record.sees_frees.store(0, std::memory_order_relaxed);
    record.thread_sanitizer.store(under_thread_sanitizer ? 1 : 0, std::memory_order_relaxed);
    uint32_t used = header.processes_used.load(std::memory_order_relaxed);
    while (used < i + 1 && !header.processes_used.compare_exchange_weak(used, i + 1)) {
    }
    record.state.store(as_word(ProcessState::kLive), std::memory_order_release);
    return &record;
  }
  header.processes_missed.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

// Under Yama's restricted ptrace only its ancestors, and whom it names, may read a process.
void allow_observer_to_read() {
  if (!yama_restricts_ptrace) return;
  const int observer = segment->header.observer.load(std::memory_order_relaxed);
  if (observer > 0) raw_syscall(SYS_prctl, PR_SET_PTRACER, observer);
}

// Gives this process an epoch, once. Several threads of a forked child may run this at the same
// time.
void attach_process(int pid) {
  // A forked child may be the first process of a namespace: for the observer, its number and those
  // of all its descendants are other processes.
  if (pid == 1 && current_thread.epoch != kNeverAttached) {
    segment->header.processes_missed.fetch_add(1, std::memory_order_relaxed);
    attach_no_more();
    return;
  }
  ProcessRecord* record = claim_process_record(pid);
  if (!record) return;
  // All threads that run this write the same.
  __atomic_store_n(&process_page->pid, pid, __ATOMIC_RELAXED);
  const uint64_t index = static_cast<uint64_t>(record - segment->processes);
  // The tick makes it different from the epoch of any ancestor from which this memory was copied.
  uint64_t epoch = (ticks() << 16) | (uint64_t{1} << 15) | index;
  uint64_t expected = 0;
  if (!__atomic_compare_exchange_n(&process_page->epoch, &expected, epoch, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE)) {
    record->state.store(as_word(ProcessState::kFree), std::memory_order_release);
    return;
  }
  allow_observer_to_read();
}

ThreadRecord* claim_thread_record() {
  contract::Header& header = segment->header;
  const uint32_t hint = header.thread_hint.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < contract::kThreadCapacity; ++i) {
    const uint32_t index = (hint + i) % contract::kThreadCapacity;
    ThreadRecord& record = segment->threads[index];
    uint32_t expected = as_word(ThreadState::kFree);
    if (record.state.load(std::memory_order_relaxed) != expected) continue;
    if (!record.state.compare_exchange_strong(expected, as_word(ThreadState::kClaimed))) {
      continue;
    }
    header.thread_hint.store(index + 1, std::memory_order_relaxed);
    header.threads_attached.fetch_add(1, std::memory_order_relaxed);
    uint32_t used = header.threads_used.load(std::memory_order_relaxed);
    while (used < index + 1 && !header.threads_used.compare_exchange_weak(used, index + 1)) {
    }
    return &record;
  }
  header.threads_missed.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

void begin_record(ThreadRecord& record, uint64_t epoch, int tid) {
  record.call.function.store(0, std::memory_order_relaxed);
  record.call.entered.store(0, std::memory_order_relaxed);
  for (contract::WaitSite& site : record.wait_sites) {
    if (site.key.load(std::memory_order_relaxed) == 0) continue;
    __builtin_memset(static_cast<void*>(&site), 0, sizeof site);
  }
  record.sites.store(0, std::memory_order_relaxed);
  record.allowed_since.store(0, std::memory_order_relaxed);
  record.mark.store(0, std::memory_order_relaxed);
  for (contract::IdleWait& park : record.idle_waits)
    park.call_site.store(0, std::memory_order_relaxed);
  record.pause_state.store(0, std::memory_order_relaxed);
  record.read_request.store(0, std::memory_order_relaxed);
  record.pause_ticks_longest.store(0, std::memory_order_relaxed);
  forget_held_locks(record);
  record.generation.fetch_add(1, std::memory_order_relaxed);
  record.pid.store(__atomic_load_n(&process_page->pid, __ATOMIC_RELAXED),
                   std::memory_order_relaxed);
  record.tid.store(tid, std::memory_order_relaxed);
  record.process.store(static_cast<uint32_t>(epoch & kProcessIndexMask), std::memory_order_relaxed);
  record.attached = ticks();
  record.state.store(as_word(ThreadState::kLive), std::memory_order_release);
}

// `tid`, `pid`: 0 if unknown, then this asks the kernel.
ThreadRecord* attach(int tid, int pid) {
  // A signal handler that runs in the middle of this must not attach a second time.
  if (current_thread.attaching) return nullptr;
  current_thread.attaching = true;
  asm volatile("" ::: "memory");
  const bool may_attach = segment && !no_more_attaching;
  if (may_attach && __atomic_load_n(&process_page->epoch, __ATOMIC_ACQUIRE) == 0) {
    attach_process(pid ? pid : raw_pid());
  }
  const uint64_t epoch = __atomic_load_n(&process_page->epoch, __ATOMIC_ACQUIRE);
  ThreadRecord* record = nullptr;
  if (may_attach && epoch != 0) {
    record = claim_thread_record();
    if (record) begin_record(*record, epoch, tid ? tid : raw_tid());
  }
  current_thread.record = record;
  current_thread.held = record ? &held_locks_of(*record) : nullptr;
  asm volatile("" ::: "memory");
  current_thread.epoch = epoch;
  asm volatile("" ::: "memory");
  current_thread.attaching = false;
  return record;
}

}  // namespace

contract::Segment* segment = nullptr;
bool yama_restricts_ptrace = false;
ProcessPage* process_page = &detached_page;
__thread CurrentThread current_thread = {kNeverAttached};

TAILBACK_COLD ThreadRecord* attach_thread() {
  return attach(0, 0);
}

void attach_new_thread() {
  attach(tid_from_libc(), 0);
}

void attach_forked_child() {
  if (still_in_same_process()) return;  // a handler of pthread_atfork made a call
  const int tid = tid_from_libc();
  attach(tid, tid);
}

void attach_no_more() {
  no_more_attaching = true;
}

bool in_other_pid_namespace() {
  static const char self[] = "/proc/self";
  char text[16];
  const long length = raw_syscall(SYS_readlink, reinterpret_cast<long>(self),
                                  reinterpret_cast<long>(text), sizeof text);
  if (length < 0) return false;
  int pid = 0;
  for (long i = 0; i < length; ++i) pid = pid * 10 + (text[i] - '0');
  return pid != raw_pid();
}

void release_thread() {
  if (!segment || !still_in_same_process()) return;
  ThreadRecord* record = current_thread.record;
  if (!record) return;
  current_thread.record = nullptr;
  current_thread.held = nullptr;
  asm volatile("" ::: "memory");
  record->call.function.store(0, std::memory_order_relaxed);
  bool iterations = false;
  for (const contract::WaitSite& site : record->wait_sites) {
    iterations |= site.iterations.load(std::memory_order_relaxed) != 0;
  }
  record->state.store(as_word(iterations ? ThreadState::kExited : ThreadState::kFree),
                      std::memory_order_release);
  if (!iterations) {
    // Taking low records first keeps the observer's scan short.
    const uint32_t index = static_cast<uint32_t>(record - segment->threads);
    if (index < segment->header.thread_hint.load(std::memory_order_relaxed)) {
      segment->header.thread_hint.store(index, std::memory_order_relaxed);
    }
  }
}

ProcessRecord* process_record() {
  const uint64_t epoch = __atomic_load_n(&process_page->epoch, __ATOMIC_ACQUIRE);
  if (!segment || epoch == 0) return nullptr;
  return &segment->processes[epoch & kProcessIndexMask];
}

uint64_t monotonic_ticks() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace tailback
