#include "runtime/loops/unhooked_loop.h"

#include <sys/syscall.h>

namespace tailback {

using intercept::Function;

namespace {

constexpr unsigned kLeastSightings = 5;
constexpr unsigned kMostElsewhere = 4;
// As a poll loop's that is to be trusted (loop_model.cc): one long iteration in so many.
constexpr uint64_t kLongIterationShare = 16;

constexpr uint64_t kGetEvents = 1;        // IORING_ENTER_GETEVENTS
constexpr uint64_t kRegisteredRing = 16;  // IORING_ENTER_REGISTERED_RING: no descriptor, an index

WaitPlace place(Function function, const KernelCall& call, bool has_fd) {
  return {function, call.stack_pointer, call.instruction_pointer,
          has_fd ? static_cast<int>(call.arguments[0]) : -1};
}

bool is_same_call(const KernelCall& a, const KernelCall& b) {
  return a.number == b.number && a.stack_pointer == b.stack_pointer &&
         a.instruction_pointer == b.instruction_pointer && a.arguments == b.arguments;
}

}  // namespace

std::optional<WaitPlace> wait_place(const KernelCall& call) {
  const auto& arguments = call.arguments;
  switch (call.number) {
    case SYS_epoll_wait:
      return place(Function::epoll_wait, call, true);
    case SYS_epoll_pwait:
      return place(Function::epoll_pwait, call, true);
    case SYS_epoll_pwait2:
      return place(Function::epoll_pwait2, call, true);
    case SYS_io_uring_enter:
      if (arguments[2] == 0 || (arguments[3] & kGetEvents) == 0) return std::nullopt;
      return place(Function::io_uring_enter, call, (arguments[3] & kRegisteredRing) == 0);
    // A poll of nothing is a sleep.
    case SYS_poll:
      if (arguments[1] == 0) return std::nullopt;
      return place(Function::poll, call, false);
    case SYS_ppoll:
      if (arguments[1] == 0) return std::nullopt;
      return place(Function::ppoll, call, false);
    case SYS_select:
      if (arguments[0] == 0) return std::nullopt;
      return place(Function::select, call, false);
    case SYS_pselect6:
      if (arguments[0] == 0) return std::nullopt;
      return place(Function::pselect, call, false);
    default:
      return std::nullopt;
  }
}

void UnhookedLoop::survey(const std::optional<KernelCall>& blocked, uint64_t switches) {
  if (!blocked || blocked->number < 0) return;
  const auto seen = wait_place(*blocked);
  if (!is_loop() && (!seen || *seen != home_)) *this = UnhookedLoop();
  if (!seen) return;
  if (*seen != home_ && is_loop() && ++elsewhere_ < kMostElsewhere) return;
  if (*seen != home_) {
    *this = UnhookedLoop();
    home_ = *seen;
    sightings_ = 1;
    first_switches_ = last_switches_ = switches;
    return;
  }
  elsewhere_ = 0;
  if (switches == last_switches_) return;
  last_switches_ = switches;
  if (sightings_ < kLeastSightings) ++sightings_;
}

bool UnhookedLoop::is_loop() const {
  return sightings_ >= kLeastSightings;
}

void UnhookedLoop::look(uint64_t tick, const std::optional<KernelCall>& blocked,
                        uint64_t switches) {
  const uint64_t before = last_poll_;
  last_poll_ = tick;
  if (!blocked || blocked->number < 0 || wait_place(*blocked) == home_) {
    away_.reset();
    return;
  }
  if (is_still_away(blocked, switches)) {
    away_->until = tick;
    return;
  }
  away_ = Away{tick, tick, before == 0 ? tick : before, blocked->stack_pointer};
  away_call_ = *blocked;
  away_switches_ = switches;
}

bool UnhookedLoop::is_still_away(const std::optional<KernelCall>& blocked,
                                 uint64_t switches) const {
  return away_ && blocked && switches == away_switches_ && is_same_call(*blocked, away_call_);
}

bool UnhookedLoop::allows_another_stall() {
  if ((stalls_ + 1) * kLongIterationShare > last_switches_ - first_switches_) return false;
  ++stalls_;
  return true;
}

}  // namespace tailback
