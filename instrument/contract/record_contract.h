// The record contract: everything that the recorder (inside the target) and the observer (beside
// it) exchange. Both include it, the headers that it is made of, and the intercept table, and
// nothing else of each other.
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
//   5. Any change of layout or meaning bumps kVersion and adds a paragraph to CHANGES.md. Both
//   sides
//      refuse another version, and another intercept table (compatibility.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "instrument/contract/contention_contract.h"
#include "instrument/contract/finding_contract.h"
#include "instrument/contract/lock_contract.h"

namespace tailback::contract {

inline constexpr uint32_t kMagic = 0x4b424c54;  // "TLBK", little endian
inline constexpr uint32_t kVersion = 11;

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

// Of the histogram of iteration lengths: see histogram.h.
inline constexpr uint32_t kHistogramBuckets = 160;

// What the recorder settles by itself, since only it knows at the right moment (rules.h, rule 2).
// A wait site with so many iterations belongs to a loop, and not to what came before the loop.
inline constexpr uint64_t kEstablishedIterations = 20;
// Read requests of one place of the program, then no more: a program that runs on is not slowed
// down for ever.
inline constexpr uint32_t kReadRequestsPerPlace = 32;
// Read requests in a row without an answer, then no more.
inline constexpr uint32_t kMostUnansweredRequests = 8;

// The environment variable that carries the path of the segment's file to every process.
inline constexpr char kSessionVariable[] = "TAILBACK_SESSION";

// What ticks count. [creator]
enum class TickSource : uint32_t {
  kTsc = 1,        // the CPU's invariant counter (TSC; cntvct_el0 on aarch64)
  kMonotonic = 2,  // CLOCK_MONOTONIC in nanoseconds
};

// The registers needed to unwind a thread from outside, taken at a point inside an interceptor
// whose frame stays in place for as long as the call is in progress (or, in a pause, where the
// signal arrived). On x86-64 in the order of saved[]: rbx, rbp, r12, r13, r14, r15; on aarch64: x19
// to x30.
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
  // The tick at entry, in event waits, in waits for locks, and in all calls of a thread that waits
  // for events; else one more than in the call before. No two calls of a thread have the same.
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

// Whether the waits at a site block.
enum class SiteBlocking : uint16_t {
  kUnknown = 0,
  kNever = 1,  // all of them had a timeout of 0
  kSome = 2,
};

// One place at which a thread waits for events, identified by its key. A thread has up to
// kWaitSites of them; a new one replaces the one with the fewest iterations. [recorder]
struct WaitSite {
  // See wait_key.h. 0: free.
  std::atomic<uint64_t> key;
  uint64_t call_site;
  uint64_t stack_pointer;  // of its caller at the last entry: a nested wait is deeper
  uint32_t function;       // an intercept::Function
  uint16_t last_ready;     // events that the last wait returned, UINT16_MAX at most
  uint16_t blocking;       // a SiteBlocking

  // Tick of the last return from this wait, where the iteration in progress begins. 0 in the wait,
  // before the first wait, and after a wait nearer to the base of the stack has ended the
  // iteration.
  std::atomic<uint64_t> iteration_begin;
  std::atomic<uint64_t> iterations;  // completed iterations
  uint64_t busy_ticks;               // sum of their lengths
  uint64_t longest_ticks;
  uint64_t first_tick;  // entry into the first wait here
  // Sums of the iteration in progress, without calls that took `short_call_ticks` or less.
  uint64_t other_ticks;  // calls that found no place among the contributors
  // Time of the iteration in progress in scopes that are allowed to block and have ended; for an
  // open one see ThreadRecord::allowed_since.
  uint64_t allowed_ticks;
  Contributor contributors[kContributors];
  uint32_t histogram[kHistogramBuckets];
};

// A bounded pause of a running thread in the recorder's signal handler. The observer asks and sends
// the signal; the handler publishes the registers and waits for 1 ms at most; the observer reads
// and releases.
enum class PauseState : uint32_t {
  kNone = 0,
  kAsked = 1,     // [observer] none → asked; [observer] asked → none: too late
  kHeld = 2,      // [recorder] asked → held: `pause_context` is valid, the thread is stopped
  kReleased = 3,  // [observer] held → released; [recorder] released → none
  kExpired = 4,   // [recorder] held → expired: the time is over, and what the observer has read
                  // since is torn. [observer] expired → none
};

// A call that is over while its frame is still in place, so that the observer can read it. Only
// under --strict. The thread waits for `read_request_patience_ticks` at most.
enum class ReadRequest : uint32_t {
  kNone = 0,       // [recorder]
  kRequested = 1,  // [recorder] `requested_call_ticks` is valid, the record shows the call
  kRead = 2,       // [observer] requested → read
};

// A place at which a thread of a pool waits for work, while another thread of the pool waits for
// events. Such a wait ends an iteration like an event wait does. [observer]; cleared by the
// [recorder] when the record gets a new owner.
struct IdleWait {
  std::atomic<uint64_t> call_site;      // 0: none
  std::atomic<uint64_t> stack_pointer;  // at the call's entry
};

// A bit of ThreadRecord::sites. [observer] The user says that the thread is a loop (--loop): calls
// of intercept::may_be_named_wait() have wait sites, too.
inline constexpr uint32_t kNamedLoop = 1u << 31;

enum class ThreadState : uint32_t {
  kFree = 0,
  kClaimed = 1,  // [recorder] free → claimed, while it fills the record in
  kLive = 2,     // [recorder] claimed → live
  kExited = 3,   // [recorder] live → exited, if the observer still has to read its iterations;
                 // [observer] exited → free
};

// What a thread has declared of itself by the annotation header.
enum class ThreadMark : uint32_t {
  kNone = 0,     // nothing
  kLoop = 1,     // it runs an event loop, and all its event waits are the loop's
  kNotLoop = 2,  // it runs none
};

// A name for the iteration in progress, beside the thread's record. [recorder]
struct IterationName {
  // When the name was given: every iteration that was in progress then has it. 0 while it is being
  // written. To read it: load the tick, copy the text, load the tick again.
  std::atomic<uint64_t> tick;
  char text[kIterationNameBytes];  // up to a NUL
};

struct alignas(4096) ThreadRecord {
  std::atomic<uint32_t> state;       // ThreadState
  std::atomic<uint32_t> generation;  // [recorder] counts the owners of this record
  std::atomic<int32_t> pid;          // [recorder] as the thread sees it
  std::atomic<int32_t> tid;
  std::atomic<uint32_t> process;  // [recorder] index of its ProcessRecord
  // [recorder] wait sites in use, since the record has an owner; and kNamedLoop
  std::atomic<uint32_t> sites;
  uint64_t attached;  // [recorder] tick

  // The open scopes that are allowed to block. [recorder]
  // Tick at which the outermost began; 0: none is open, and the depth and the stack mean nothing.
  // An event wait that is no deeper on the stack than that scope ends them all.
  std::atomic<uint64_t> allowed_since;
  uint64_t allowed_stack;  // the stack pointer of the outermost's caller
  // Of a thread that is marked as a loop: the stack pointer of the caller nearest to the base of
  // the stack among its waits that name no instance; 0 before the first. The recorder's own.
  uint64_t loop_stack;
  uint32_t allowed_depth;
  std::atomic<uint32_t> mark;  // [recorder] ThreadMark

  Call call;

  std::atomic<uint32_t> read_request;  // see ReadRequest
  uint32_t requested_call_ticks;  // [recorder] how long the call took, UINT32_MAX at most; valid
                                  // while requested

  // See PauseState.
  std::atomic<uint32_t> pause_state;
  std::atomic<uint32_t> pauses;  // [recorder] how many system calls the signal of a pause cut
                                 // short; interceptors compare it to hide that EINTR
  std::atomic<uint64_t> pause_ticks_longest;  // [recorder]
  Context pause_context;                      // [recorder] valid in state kHeld

  IdleWait idle_waits[kIdleWaits];

  WaitSite wait_sites[kWaitSites];
};

enum class ProcessState : uint32_t { kFree = 0, kClaimed = 1, kLive = 2 };

// One attached process. Freed by the observer once the process is gone.
struct alignas(64) ProcessRecord {
  std::atomic<uint32_t> state;  // ProcessState
  std::atomic<int32_t> pid;     // [recorder]
  std::atomic<uint32_t> generation;
  // Whether the handler of the pause's signal is the recorder's. Cleared when the program takes the
  // signal for itself. [recorder]
  std::atomic<uint32_t> pause_ready;
  uint64_t attached;                       // [recorder] tick
  std::atomic<uint32_t> thread_sanitizer;  // [recorder] 1: runs under ThreadSanitizer
  std::atomic<uint32_t> sees_frees;        // [recorder] 1: the recorder sees when memory is freed
};

enum class EventKind : uint32_t {
  kIteration = 1,      // an iteration longer than the threshold has ended
  kPendingEvents = 2,  // the first wait after such an iteration has returned: `ready` is valid
  // A call longer than `slow_call_ticks` has ended within an iteration: `key` is the iteration's
  // wait site, `iteration` its number. `function` and `call_site` are the call's, `begin_tick` is
  // its `entered`.
  kSlowCall = 3,
};

// One entry of the ring: what must not be missed. [recorder]
struct Event {
  uint32_t kind;  // EventKind
  uint32_t record;
  uint32_t generation;
  int32_t pid;
  int32_t tid;
  uint32_t function;  // of the wait; in kSlowCall of the call
  uint64_t key;       // of the wait site
  uint64_t call_site;
  uint64_t iteration;  // number of the iteration at its site, from 1
  uint64_t begin_tick;
  uint64_t end_tick;
  uint32_t ready;
  uint32_t reserved;
  // Where the thread last returned from a wait at another site of the same depth within the
  // iteration; 0: nowhere.
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
// ring. The observer steps over a slot in which a producer has died.
struct alignas(64) RingSlot {
  std::atomic<uint64_t> sequence;
  Event event;
};

enum class CaptureState : uint32_t {
  kFree = 0,
  kClaimed = 1,  // [recorder] free → claimed, while it fills it in
  kFilled = 2,  // [recorder] claimed → filled; [observer] filled → free. The observer also frees
                // one whose writer has died
};

// A thread's registers and the innermost part of its stack, copied by the thread itself: the
// observer unwinds the copy later.
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

// The beginning of every segment, in this place in all versions from 10 on: each build can read it,
// and refuse what it does not know (compatibility.h).
struct SegmentIdentity {
  std::atomic<uint32_t> magic;     // [creator] stored last
  uint32_t version;                // [creator]
  uint64_t segment_size;           // [creator]
  uint64_t table_hash;             // [creator] kTableHash of its build
  std::atomic<uint32_t> refusals;  // [recorder] processes that found another build's segment
};

struct alignas(4096) Header {
  SegmentIdentity identity;
  TickSource tick_source;  // [creator]
  // Pid of the observer, 0 before it runs and once it has ended.
  std::atomic<int32_t> observer;  // [observer]
  // Iterations longer than this go into the ring. Before the observer has set it: UINT64_MAX if the
  // observer made the segment, else so low that no iteration is missed.
  std::atomic<uint64_t> threshold_ticks;  // [observer]
  // The longest that a pause may take.
  std::atomic<uint64_t> pause_limit_ticks;  // [observer]
  // Calls that take no longer than this are not summed up. 0: all are.
  std::atomic<uint64_t> short_call_ticks;  // [observer]
  // Calls of loop threads that take longer than this go into the ring one by one. 0: none does.
  std::atomic<uint64_t> slow_call_ticks;  // [observer]
  // How long a loop thread waits for the observer at the end of a call that may block (see
  // ReadRequest). 0: not at all.
  std::atomic<uint64_t> read_request_patience_ticks;  // [observer]
  std::atomic<uint64_t> read_requests_missed;         // [recorder] that were not read in time
  std::atomic<uint32_t> tracked_locks;                // [observer] TrackedLocks
  std::atomic<uint64_t> held_missed;         // [recorder] acquisitions that found a full HeldLocks
  std::atomic<uint64_t> captures_missed;     // [recorder] stacks for which no capture was free
  std::atomic<uint64_t> captures_forbidden;  // [recorder] and those that could not be copied
  std::atomic<uint64_t> contended_used;      // [recorder] entries of `contended` so far
  std::atomic<uint64_t> contended_seen;      // [observer] how many of them it has read
  std::atomic<uint64_t> contended_missed;    // [recorder] waits for locks that found no entry
  std::atomic<uint64_t> findings_published;  // [recorder] filled so far
  std::atomic<uint64_t> findings_missed;     // [recorder] that found no free place

  alignas(
      64) std::atomic<uint32_t> threads_used;  // [recorder] records [0, threads_used) may be live
  std::atomic<uint32_t> thread_hint;  // [recorder] where the next search for a free record begins
  std::atomic<uint64_t> threads_attached;  // [recorder] threads that found one, ever
  std::atomic<uint64_t> threads_missed;    // [recorder] threads that found no free record
  std::atomic<uint32_t> processes_used;    // [recorder]
  std::atomic<uint64_t> processes_missed;  // [recorder]

  alignas(64) std::atomic<uint64_t> ring_head;  // [recorder] next position to fill; [observer]
                                                // corrects it if it makes no sense
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
  // The last open-ended call of each thread (a TAIL_CALL line of the table), beside its record.
  // Only the entry is recorded: the context is the caller's after the return, with the return
  // address as instruction pointer. The reader has to check that the thread is still below that
  // frame. [recorder]
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
static_assert(sizeof(SegmentIdentity) == 32);
static_assert(offsetof(Header, identity) == 0);
static_assert(sizeof(Header) == 4096);
static_assert(sizeof(StackCapture) == 16 * 1024);
static_assert((kStackCaptures & (kStackCaptures - 1)) == 0);
static_assert((kRingCapacity & (kRingCapacity - 1)) == 0);
static_assert(offsetof(Segment, threads) % 4096 == 0);

}  // namespace tailback::contract
