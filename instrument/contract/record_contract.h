// The record contract: everything that the recorder (inside the target) and the observer (beside
// it) say to each other, and the only header besides the intercept table that both include.
//
// One file per session holds a Segment. Every process of the session maps it shared; the observer
// maps it too. Fields name their one writer:
//
//   [recorder]  written by the thread that owns the record, read by the observer at any time
//   [observer]  written by the observer, read by recorders at any time
//   [creator]   written once before any other process can see the segment
//
// Rules
//   1. All shared fields are plain data or lock-free atomics: no pointers into either world.
//   2. A recorder may die between any two stores. No state needs a second store to be safe.
//   3. State is absolute ("in function F since tick T", or nothing), never a parity: a
//      pthread_cancel or a longjmp leaves a call without running its end.
//   4. The observer treats every value here as hostile input.
//   5. Any change of layout or meaning bumps kVersion; both sides refuse another version.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "instrument/contract/contention_contract.h"
#include "instrument/contract/finding_contract.h"
#include "instrument/contract/lock_contract.h"

namespace tailback::contract {

inline constexpr uint32_t kMagic = 0x4b424c54;  // "TLBK", little endian
inline constexpr uint32_t kVersion = 9;

inline constexpr uint32_t kThreadCapacity = 16384;
inline constexpr uint32_t kProcessCapacity = 4096;
inline constexpr uint32_t kRingCapacity = 1024;  // a power of two
inline constexpr uint32_t kArguments = 6;
inline constexpr uint32_t kWaitSites = 4;
inline constexpr uint32_t kContributors = 6;
inline constexpr uint32_t kIterationNameBytes = 56;  // the NUL included
inline constexpr uint32_t kIdleWaits = 2;
inline constexpr uint32_t kStackCaptures = 512;  // a power of two
inline constexpr uint32_t kStackCaptureBytes = 16 * 1024 - 192;

// Lengths of iterations are counted in buckets of a quarter octave of ticks, so that the observer
// can give percentiles within 25 %. See histogram.h.
inline constexpr uint32_t kHistogramBuckets = 160;

// The environment variable that carries the path of the segment's file to every process.
inline constexpr char kSessionVariable[] = "TAILBACK_SESSION";

// What ticks count. [creator]
enum class TickSource : uint32_t {
  kTsc = 1,        // the CPU's invariant counter (TSC; cntvct_el0 on aarch64)
  kMonotonic = 2,  // CLOCK_MONOTONIC in nanoseconds
};

// The registers needed to unwind a thread from outside, taken at a point inside an interceptor
// whose frame stays in place for as long as the call is in progress (or, for a hold, where the
// signal hit). On x86-64 in the order of saved[]: rbx, rbp, r12, r13, r14, r15; on aarch64: x19 to
// x30.
struct Context {
  uint64_t instruction_pointer;
  uint64_t stack_pointer;
  uint64_t saved[12];
};
enum SavedRegister : uint32_t { kRbx, kRbp, kR12, kR13, kR14, kR15 };

// The call that a thread is in. [recorder]
// Valid while `function` is not 0. To read it: load function and entered, copy the rest, load both
// again; the copy is good if neither changed (the writer clears function before it writes).
struct Call {
  std::atomic<uint32_t> function;  // an intercept::Function; 0: in no call
  uint32_t generation;             // of the record's owner, in an open-ended call; else 0
  // Tick at entry, for waits for events and for locks, and for all calls of a thread that waits for
  // events; else one more than at the call before. Either way no two calls of a thread have the
  // same.
  std::atomic<uint64_t> entered;
  uint64_t arguments[kArguments];
  uint64_t call_site;  // return address into the caller
  Context context;
};

// Time that the calls of one (function, call site) took within an iteration. [recorder]
struct Contributor {
  uint64_t call_site;
  uint32_t function;
  uint32_t count;
  uint64_t total_ticks;
  uint64_t longest_ticks;
};

// One place at which a thread waits for events, told apart by its key. A thread has up to
// kWaitSites of them; the least used gives way to a new one. [recorder]
struct WaitSite {
  // For epoll the descriptor and its generation, else the call site (wait_sites.h). 0: free.
  std::atomic<uint64_t> key;
  uint64_t call_site;
  uint64_t stack_pointer;  // of its caller at the last entry; tells an outer wait from a nested one
  uint32_t function;       // an intercept::Function
  uint32_t last_ready;     // events that the last wait returned

  // Tick of the last return from this wait: the beginning of the iteration in progress. 0 while in
  // the wait, before the first, and when a wait at a shallower stack depth made it void.
  std::atomic<uint64_t> iteration_begin;
  std::atomic<uint64_t> iterations;  // completed iterations
  uint64_t busy_ticks;               // sum of their lengths
  uint64_t longest_ticks;
  uint64_t first_tick;  // entry into the first wait here
  // Sums of the iteration in progress. A call that took `short_call_ticks` or less is not in them.
  uint64_t other_ticks;  // calls that found no place among the contributors
  // Time of the iteration in progress in scopes that are allowed to block, as far as they have
  // ended; an open one: ThreadRecord::allowed_since.
  uint64_t allowed_ticks;
  Contributor contributors[kContributors];
  uint32_t histogram[kHistogramBuckets];
};

// A bounded pause of a running thread in the recorder's signal handler. The observer asks and
// signals; the handler publishes and waits, 1 ms at most; the observer reads and releases.
enum class PauseState : uint32_t {
  kNone = 0,
  kAsked = 1,     // [observer] none → asked; [observer] asked → none: asked too late
  kHeld = 2,      // [recorder] asked → held: `pause_context` is valid, the thread stands still
  kReleased = 3,  // [observer] held → released; [recorder] released → none
  kExpired = 4,   // [recorder] held → expired: time was up; what was read since is torn.
                  // [observer] expired → none
};

// A call that is over but whose frame still stands, kept there for the observer to read: under
// --strict only. The thread waits for `read_request_patience_ticks` at most.
enum class ReadRequest : uint32_t {
  kNone = 0,       // [recorder]
  kRequested = 1,  // [recorder] `requested_call_ticks` is valid, the record shows the call
  kRead = 2,       // [observer] offered → taken: it has been read
};

// A place at which a thread of a pool waits for work, while another thread of the pool waits for
// events. Such a wait ends an iteration like the wait for events itself. [observer]; cleared by the
// [recorder] when the record gets a new owner.
struct IdleWait {
  std::atomic<uint64_t> call_site;      // 0: none
  std::atomic<uint64_t> stack_pointer;  // at the call's entry
};

enum class ThreadState : uint32_t {
  kFree = 0,
  kClaimed = 1,  // [recorder] free → claimed, while it fills the record in
  kLive = 2,     // [recorder] claimed → live
  kExited = 3,  // [recorder] live → exited, when it has iterations that the observer should still
                // read; [observer] exited → free
};

// What a thread has said of itself through the annotation header.
enum class ThreadMark : uint32_t {
  kNone = 0,     // nothing
  kLoop = 1,     // it runs an event loop, and all its waits for events are the loop's
  kNotLoop = 2,  // it runs none
};

// A name for the iteration in progress, beside the thread's record. [recorder]
struct IterationName {
  // When it was given: the name is that of every iteration which was in progress then. 0: while it
  // is written. To read it: load it, copy the text, load it again.
  std::atomic<uint64_t> tick;
  char text[kIterationNameBytes];  // up to a NUL
};

struct alignas(4096) ThreadRecord {
  std::atomic<uint32_t> state;       // ThreadState
  std::atomic<uint32_t> generation;  // [recorder] counts the owners of this record
  std::atomic<int32_t> pid;          // [recorder] as the thread sees it
  std::atomic<int32_t> tid;
  std::atomic<uint32_t> process;  // [recorder] index of its ProcessRecord
  std::atomic<uint32_t> sites;    // [recorder] wait sites in use
  uint64_t attached;              // [recorder] tick

  // Scopes that are allowed to block, as far as they are open. [recorder]
  // Tick at which the outermost began; 0: none is open, the depth and the stack mean nothing. A
  // wait for events that is no deeper on the stack than that scope ends them all, whatever left
  // them.
  std::atomic<uint64_t> allowed_since;
  uint64_t allowed_stack;  // the stack pointer of the outermost's caller
  // Of a thread that is marked as a loop: the stack pointer where its shallowest wait so far that
  // names no instance was called, 0 before. No business of the observer's.
  uint64_t loop_stack;
  uint32_t allowed_depth;
  std::atomic<uint32_t> mark;  // [recorder] ThreadMark

  Call call;

  std::atomic<uint32_t> read_request;  // see ReadRequest
  uint32_t requested_call_ticks;  // [recorder] how long the call took, UINT32_MAX at most; valid
                                  // while offered

  // Hold: see PauseState.
  std::atomic<uint32_t> pause_state;
  std::atomic<uint32_t> holds;  // [recorder] how many system calls the hold's signal cut short;
                                // interceptors compare it to hide that EINTR
  std::atomic<uint64_t> pause_ticks_longest;  // [recorder]
  Context pause_context;                      // [recorder] valid while held

  IdleWait idle_waits[kIdleWaits];

  WaitSite wait_sites[kWaitSites];
};

enum class ProcessState : uint32_t { kFree = 0, kClaimed = 1, kLive = 2 };

// One attached process. Freed by the observer once the process is gone.
struct alignas(64) ProcessRecord {
  std::atomic<uint32_t> state;  // ProcessState
  std::atomic<int32_t> pid;     // [recorder]
  std::atomic<uint32_t> generation;
  // Whether the hold signal's handler is the recorder's. Cleared when the program takes the signal
  // for itself. [recorder]
  std::atomic<uint32_t> pause_ready;
  uint64_t attached;                       // [recorder] tick
  std::atomic<uint32_t> thread_sanitizer;  // [recorder] 1: runs under ThreadSanitizer
  std::atomic<uint32_t> sees_frees;        // [recorder] 1: it is seen when memory is freed
};

enum class EventKind : uint32_t {
  kIteration = 1,      // an iteration longer than the threshold has ended
  kPendingEvents = 2,  // the first wait after such an iteration has returned: `ready` is valid
  // A call longer than `slow_call_ticks` has ended within an iteration, of which `key` names the
  // site and `iteration` the number. `function` and `call_site` are the call's, `begin_tick` is its
  // `entered`.
  kSlowCall = 3,
};

// One entry of the ring: what must not be missed. [recorder]
struct Event {
  uint32_t kind;  // EventKind
  uint32_t record;
  uint32_t generation;
  int32_t pid;
  int32_t tid;
  uint32_t function;  // of the wait, but in kSlowCall
  uint64_t key;       // of the wait site
  uint64_t call_site;
  uint64_t iteration;  // number of the iteration at its site, from 1
  uint64_t begin_tick;
  uint64_t end_tick;
  uint32_t ready;
  uint32_t reserved;
  // Where the thread last returned from a wait at another site of the same depth, if within the
  // iteration; else 0.
  uint64_t sibling_key;
  uint64_t sibling_return;  // tick
  uint64_t other_ticks;
  uint64_t allowed_ticks;          // of the iteration, in scopes that are allowed to block
  char name[kIterationNameBytes];  // of the iteration, up to a NUL; empty: it has none
  Contributor contributors[kContributors];
};

// A slot of the ring: a bounded queue of many producers and one consumer, after D. Vyukov's bounded
// MPMC queue. Slot i serves the positions i, i + kRingCapacity, …; `sequence` is (position - i)
// while it is free for that position and one more once it is filled, so that zeros are an empty
// ring. A producer that dies inside a slot is stepped over by the observer.
struct alignas(64) RingSlot {
  std::atomic<uint64_t> sequence;
  Event event;
};

enum class CaptureState : uint32_t {
  kFree = 0,
  kClaimed = 1,  // [recorder] free → claimed, while it fills it in
  kFilled = 2,  // [recorder] claimed → filled; [observer] filled → free. One whose filler has died
                // is freed by the observer
};

// A thread's registers and the part of its stack nearest to them, copied by the thread itself: to
// be unwound later, from the copy alone.
struct alignas(64) StackCapture {
  std::atomic<uint32_t> state;  // CaptureState
  std::atomic<int32_t> pid;     // [recorder] while claimed
  uint64_t tick;                // [recorder]
  uint64_t stack_begin;         // address of stack[0]
  uint32_t size;                // bytes of `stack` that are valid
  uint32_t reserved[5];
  Context context;
  alignas(64) char stack[kStackCaptureBytes];
};

struct alignas(4096) Header {
  std::atomic<uint32_t> magic;  // [creator] stored last
  uint32_t version;             // [creator]
  uint64_t segment_size;        // [creator]
  TickSource tick_source;       // [creator]
  // Pid of the observer, 0 before it runs and once it has ended.
  std::atomic<int32_t> observer;  // [observer]
  // Iterations longer than this go into the ring. Until the observer has set it: UINT64_MAX if it
  // was there first, else so low that no iteration is missed.
  std::atomic<uint64_t> threshold_ticks;  // [observer]
  // The longest pause of a hold.
  std::atomic<uint64_t> pause_limit_ticks;  // [observer]
  // Calls no longer than this are not summed up. 0: all are.
  std::atomic<uint64_t> short_call_ticks;  // [observer]
  // Longer calls of loop threads go into the ring one by one. 0: none does.
  std::atomic<uint64_t> slow_call_ticks;  // [observer]
  // How long a loop thread waits at the end of a call that may block for the observer to read it
  // (see ReadRequest). 0: it does not.
  std::atomic<uint64_t> read_request_patience_ticks;  // [observer]
  std::atomic<uint64_t> read_requests_missed;         // [recorder] that were not taken in time
  std::atomic<uint32_t> tracked_locks;                // [observer] TrackedLocks
  // Counted up, it has threads tell anew in which order they take locks.
  std::atomic<uint32_t> lock_epoch;          // [observer]
  std::atomic<uint64_t> held_missed;         // [recorder] acquisitions that found a full HeldLocks
  std::atomic<uint64_t> captures_missed;     // [recorder] stacks for which no capture was free
  std::atomic<uint64_t> captures_forbidden;  // [recorder] and those that could not be copied
  std::atomic<uint64_t> contended_used;      // [recorder] entries of `contended` so far
  std::atomic<uint64_t> contended_seen;      // [observer] as many of them it has read
  std::atomic<uint64_t> contended_missed;    // [recorder] waits for locks that found no entry
  std::atomic<uint64_t> findings_published;  // [recorder] filled so far
  std::atomic<uint64_t> findings_missed;     // [recorder] that found no free place

  alignas(
      64) std::atomic<uint32_t> threads_used;  // [recorder] records [0, threads_used) may be live
  std::atomic<uint32_t> thread_hint;           // [recorder] where to look for a free record next
  std::atomic<uint64_t> threads_missed;        // [recorder] threads that found no free record
  std::atomic<uint32_t> processes_used;        // [recorder]
  std::atomic<uint64_t> processes_missed;      // [recorder]

  alignas(64) std::atomic<uint64_t> ring_head;  // [recorder] next position to fill; [observer]
                                                // puts it right if it makes no sense
  std::atomic<uint64_t> ring_dropped;           // [recorder] events that found the ring full
  alignas(64) std::atomic<uint64_t> ring_tail;  // [observer] next position to read

  // The same for the ring of locks.
  alignas(64) std::atomic<uint64_t> lock_ring_head;
  std::atomic<uint64_t> lock_ring_dropped;
  alignas(64) std::atomic<uint64_t> lock_ring_tail;
};

struct Segment {
  Header header;
  ProcessRecord processes[kProcessCapacity];
  RingSlot ring[kRingCapacity];
  ThreadRecord threads[kThreadCapacity];
  // The last open-ended call of each thread (a JUMP line of the table), beside its record. Only its
  // entry is recorded: its context is the caller's at the return, with the return address as
  // instruction pointer. The reader has to check that the thread is still below that frame.
  // [recorder]
  Call open_ended[kThreadCapacity];
  IterationName iteration_names[kThreadCapacity];
  HeldLocks held_locks[kThreadCapacity];
  SemaphoreUse semaphores[kSemaphoreUses];
  LockOrigin lock_origins[kLockOrigins];
  LockSlot lock_ring[kLockRingCapacity];
  StackCapture captures[kStackCaptures];
  // At lock_key_hash(key) % kContendedLocks, or in one of the next places.
  ContendedLock contended[kContendedLocks];
  Finding findings[kFindings];
};

static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(sizeof(Context) == 112);
static_assert(sizeof(Call) == 184);
static_assert(sizeof(Contributor) == 32);
static_assert(sizeof(WaitSite) == 920);
static_assert(sizeof(IterationName) == 64);
static_assert(sizeof(ThreadRecord) == 4096);
static_assert(sizeof(ProcessRecord) == 64);
static_assert(sizeof(Event) == 352);
static_assert(sizeof(RingSlot) == 384);
static_assert(sizeof(Header) == 4096);
static_assert(sizeof(StackCapture) == 16 * 1024);
static_assert((kStackCaptures & (kStackCaptures - 1)) == 0);
static_assert((kRingCapacity & (kRingCapacity - 1)) == 0);
static_assert(offsetof(Segment, threads) % 4096 == 0);

}  // namespace tailback::contract
