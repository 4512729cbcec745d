// Turns: from the return of a wait for events to the next entry into it.
#pragma once

#include "instrument/recorder/call_scope.h"

namespace tailback {

// The key of a wait on an epoll descriptor: its number and how many epoll instances have had that
// number so far, since a new instance is a new loop.
uint64_t epoll_key(int epfd);
// To be called with each descriptor that epoll_create returns.
void note_new_epoll(int epfd);

// The key of a wait that names no instance (poll, select): its call site.
TAILBACK_INLINE uint64_t call_site_key(uint64_t call_site) {
  return call_site | uint64_t{1} << 63;
}

// The key of a wait on something that lies in the program's memory (a ring).
TAILBACK_INLINE uint64_t instance_key(const void* instance) {
  return reinterpret_cast<uint64_t>(instance) | uint64_t{1} << 61;
}

// The key of the waits that a thread marks as its loop's own: a call site's that is none.
inline constexpr uint64_t kMarkedWait = uint64_t{1} << 63;

// A wait in progress; used inside a CallScope.
class TurnBoundary {
 public:
  // Ends the turn in progress at this site. Turns over the threshold go into the ring.
  void enter(CallScope& scope, Function function, uint64_t key, uint64_t call_site);
  // Begins the next turn. `ready` is the number of events returned (0: none, or failed).
  void leave(const CallScope& scope, int ready);

 private:
  contract::WaitSite* site_ = nullptr;
  bool turn_was_long_ = false;
  uint64_t key_ = 0;
};

}  // namespace tailback
