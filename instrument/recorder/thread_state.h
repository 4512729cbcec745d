// Which record belongs to the current thread, and how the thread gets it.
#pragma once

#include <stdint.h>

#include "instrument/contract/record_contract.h"
#include "instrument/recorder/machine.h"
#include "instrument/recorder/rules.h"

namespace tailback {

// The session's segment, or nullptr: no session, the recorder steps aside. Set once, in the
// constructor, before the program's threads exist; survives fork.
TAILBACK_HIDDEN extern contract::Segment* segment;

// Whether a process has to name who may read it (Yama). Set once, in the constructor.
extern bool yama_restricts_ptrace;

// One page per process that the kernel fills with zeros in a forked child (MADV_WIPEONFORK).
// `epoch` is 0 in a process that has not attached yet, else unlike that of any other process.
struct ProcessPage {
  uint64_t epoch;  // its low bits are the index of the process record
  int pid;         // valid while epoch is not 0
};
TAILBACK_HIDDEN extern ProcessPage* process_page;

struct CurrentThread {
  uint64_t epoch;  // of the process that `record` belongs to
  contract::ThreadRecord* record = nullptr;
  contract::HeldLocks* held = nullptr;  // beside the record
  bool attaching = false;
  bool is_sanitized = false;  // ThreadSanitizer knows it: see sanitizer_frame.h
};
TAILBACK_HIDDEN extern __thread CurrentThread current_thread;

// Claims a record for this thread (and, first, one for this process). nullptr if there is no
// session or no free record.
contract::ThreadRecord* attach_thread();

// The same at once, for a thread that begins (one that libc makes) and for the one thread of a
// child that libc has just forked. They make no system calls: a program with a seccomp filter may
// allow only those that it knows.
void attach_new_thread();
void attach_forked_child();

// From now on no thread of this process, or of its children, gets a record. The other threads that
// have one are still recorded.
void attach_no_more();

// Whether this process has another number for the observer than for itself.
bool in_other_pid_namespace();

// The current thread's record, or nullptr: pass the call through.
TAILBACK_INLINE contract::ThreadRecord* current_record() {
  if (__builtin_expect(current_thread.epoch == process_page->epoch, 1))
    return current_thread.record;
  return attach_thread();
}

// Whether `record` is still this thread's: false in a forked child.
TAILBACK_INLINE bool still_in_same_process() {
  return current_thread.epoch == process_page->epoch;
}

// At the end of a thread: frees its record. Later calls of the thread are not recorded.
void release_thread();

// The process's record, or nullptr.
contract::ProcessRecord* process_record();

// CLOCK_MONOTONIC in nanoseconds: the ticks where the CPU's counter can't be used.
uint64_t monotonic_ticks();

// Now, in the session's ticks. Needs a session.
TAILBACK_INLINE uint64_t ticks() {
  if (__builtin_expect(segment->header.tick_source == contract::TickSource::kTsc, 1)) {
    return read_tsc();
  }
  return monotonic_ticks();
}

}  // namespace tailback
