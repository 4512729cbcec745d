// Iterations: from the return of a wait for events to the next entry into it.
#pragma once

#include "instrument/recorder/call_scope.h"

namespace tailback {

// The key of a wait on an epoll descriptor or on a ring's: its number and how many such instances
// have had that number so far, since a new instance is a new loop.
uint64_t epoll_key(int epfd);
// To be called with each descriptor that epoll_create or io_uring_setup returns.
void note_new_epoll(int epfd);

// The key of a wait that names no instance (poll, select): its call site.
TAILBACK_INLINE uint64_t call_site_key(uint64_t call_site) {
  return call_site | uint64_t{1} << 63;
}

// The key of a wait by read(): its call site and, in bits that no address has, the descriptor.
TAILBACK_INLINE uint64_t reading_key(int fd, uint64_t call_site) {
  return call_site_key(call_site) | static_cast<uint64_t>(fd & 0x7fff) << 48;
}

// The key of the waits that a thread marks as its loop's own: a call site's that is none.
inline constexpr uint64_t kMarkedWait = uint64_t{1} << 63;
// The key of a wait on something that lies in the program's memory (a ring): its address and how
// many instances have ended there.
uint64_t instance_key(const void* instance);
// To be called when such an instance ends: so does its loop, and the next one at that address is
// another.
void note_instance_end(const void* instance);

// The outer end of the frame that this is written in: the same for all calls that one frame makes.
#define FRAME (reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()))
// Whether the call in progress is one at which the thread waits for work (contract::IdleWait).
bool is_idle(const contract::ThreadRecord& record);
// Ends the iterations in progress where such a wait began, and begins the next where it has ended.
void end_iterations_at_idle_wait(contract::ThreadRecord& record, uint64_t entered, uint64_t left);

// A wait in progress; used inside a CallScope.
class IterationBoundary {
 public:
  // Ends the iteration in progress at this site. Iterations over the threshold go into the ring. A
  // wait whose function is not of the family of event waits (for a signal; read()) is a loop's only
  // on a thread that has no other: it takes no place from those and ends no iteration of theirs.
  // Expanded in the interceptor, whose frame tells how deep in the stack the wait is; where it is
  // called from another one, that one's `frame` goes with it (FRAME).
  TAILBACK_INLINE void enter(CallScope& scope, Function function, uint64_t key,
                             uint64_t call_site) {
    enter(scope, function, key, call_site, FRAME);
  }
  void enter(CallScope& scope, Function function, uint64_t key, uint64_t call_site, uint64_t frame);
  // Begins the next iteration. `ready` is the number of events returned (0: none, or failed).
  void leave(const CallScope& scope, int ready);

 private:
  contract::WaitSite* site_ = nullptr;
  bool iteration_was_long_ = false;
  uint64_t key_ = 0;
};

}  // namespace tailback
