// Rules of the recorder. Everything in this folder runs inside another program, at any moment:
// before main, between fork and exec, in signal handlers, with locks held, on stacks of 16 KiB.
// Reviewers cite these by number.
//
//   1. libc only, and of libc only what the table forwards to. The recorder's own work uses raw
//      system calls and atomics: ThreadSanitizer and other preloads would see its calls of libc,
//      and libc may take locks.
//   2. Never allocate, lock, log, unwind or start a thread. Never judge: what is a loop, a stall or
//      a blocking call is the observer's to say. The recorder settles only what has to be settled
//      at the moment of the call, and by the contract's constants alone: which iterations a wait
//      ends (kEstablishedIterations), which calls are not worth a read request
//      (kReadRequestsPerPlace, kMostUnansweredRequests, a descriptor that can't block).
//   3. errno is the program's. The recorder's own work does not touch it (raw system calls return
//      -errno).
//   4. State is absolute: "in F since T", or nothing. pthread_cancel, longjmp and exceptions leave
//      an interceptor without running its end; the next entry overwrites what is left.
//   5. A signal handler may run an interceptor inside an interceptor: the inner one puts the outer
//      call back when it ends.
//   6. A forked child must not write to its parent's record: every access goes through
//      current_record(), which compares with a page that the kernel wipes at fork.
//   7. A vfork child shares its parent's memory: it leaves the parent's record as it found it.
//   8. Thread-local data is initial-exec and has no destructors.
//   9. Hold no descriptor open: programs close and reuse all of them.
//  10. When something is missing (a session, a free record, a new enough kernel), step aside: the
//      call goes straight to the next definition.
#pragma once

#define TAILBACK_EXPORT extern "C" __attribute__((visibility("default")))
#define TAILBACK_INLINE inline __attribute__((always_inline))
#define TAILBACK_COLD __attribute__((noinline, cold))
// For variables that are read on every call: without it each read would first fetch the variable's
// address.
#define TAILBACK_HIDDEN __attribute__((visibility("hidden")))
