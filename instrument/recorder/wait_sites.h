// Iterations: from the return of an event wait to the next entry into it.
#pragma once

#include "instrument/contract/wait_key.h"
#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/polled_waits.h"

namespace tailback {

// The key of a wait on this epoll or io_uring descriptor.
uint64_t descriptor_wait_key(int fd);
// To be called with each descriptor that epoll_create or io_uring_setup returns.
void count_new_descriptor(int fd);

// The key of a wait on something that lies in the program's memory (a ring).
uint64_t instance_wait_key(const void* instance);
// To be called when such an instance ends: so does its loop, and the next one at that address is
// another.
void end_instance(const void* instance);

// The outer end of the frame that expands this: the same for all calls that one frame makes.
#define FRAME (reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()))
// Whether the call in progress is one at which the thread waits for work (contract::IdleWait).
bool is_idle(const contract::ThreadRecord& record);
// Ends the iterations in progress where such a wait began, and begins the next ones where it ended.
void end_iterations_at_idle_wait(contract::ThreadRecord& record, uint64_t entered, uint64_t left);

// Whether the thread is named as a loop and the call that it is in may be the loop's wait.
bool is_named_wait(const contract::ThreadRecord& record, Function function);
// Ends the iteration at the call's own site where the wait began, and begins the next. Returns the
// site; nullptr if there is no room for it.
const contract::WaitSite* note_named_wait(contract::ThreadRecord& record, Function function,
                                          uint64_t call_site, uint64_t frame, uint64_t entered,
                                          uint64_t left);

// A wait in progress; used inside a CallScope.
class IterationBoundary {
 public:
  // Ends the iteration in progress at this site. Iterations over the threshold go into the ring. A
  // non-event wait (for a signal; read()) may be a loop's only on a thread that has no event wait:
  // it replaces no event wait's site and ends no iteration of one. Expanded in the interceptor,
  // whose frame says how deep in the stack the wait is; a function that calls it for the
  // interceptor passes on the interceptor's `frame` (FRAME).
  TAILBACK_INLINE void enter(CallScope& scope, Function function, uint64_t key,
                             uint64_t call_site) {
    enter(scope, function, key, call_site, FRAME);
  }
  void enter(CallScope& scope, Function function, uint64_t key, uint64_t call_site, uint64_t frame);
  // The same for a poll or select, which may be a wait of other loops of the thread, too.
  void enter(CallScope& scope, Function function, const PolledWait& wait, uint64_t call_site,
             uint64_t frame);
  // After enter(): whether the wait may block, as far as its timeout says.
  TAILBACK_INLINE void note_blocking(bool may_block) {
    if (!site_) return;
    constexpr auto kNever = static_cast<uint16_t>(contract::SiteBlocking::kNever);
    if (may_block) {
      site_->blocking = static_cast<uint16_t>(contract::SiteBlocking::kSome);
    } else if (site_->blocking == 0) {
      site_->blocking = kNever;
    }
  }
  // Begins the next iteration. `ready` is the number of events returned (0: none, or failed).
  void leave(const CallScope& scope, int ready);

 private:
  contract::WaitSite* site_ = nullptr;
  bool iteration_was_long_ = false;
  uint64_t key_ = 0;
  uint32_t epolls_ = 0;  // see PolledWait::epolls
};

}  // namespace tailback
