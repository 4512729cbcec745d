#include "instrument/recorder/restrictions.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "instrument/recorder/blocking_calls.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/pause.h"
#include "instrument/recorder/stack_capture.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

Restriction restriction_of(long number, unsigned long a, unsigned long b) {
  if (number == SYS_seccomp) {
    if (a == SECCOMP_SET_MODE_STRICT) return Restriction::kNoTicks;
    if (a == SECCOMP_SET_MODE_FILTER) return Restriction::kSystemCalls;
  } else if (number == SYS_prctl) {
    if (a == PR_SET_TSC && b == PR_TSC_SIGSEGV) return Restriction::kNoTicks;
    // With strict mode the kernel also forbids the time stamp counter.
    if (a == PR_SET_SECCOMP && b == SECCOMP_MODE_STRICT) return Restriction::kNoTicks;
    if (a == PR_SET_SECCOMP && b == SECCOMP_MODE_FILTER) return Restriction::kSystemCalls;
  }
  return Restriction::kNone;
}

void before_restriction(Restriction restriction) {
  if (restriction == Restriction::kSystemCalls) {
    stop_read_requests();
    capture_no_more();
    if (pause_handler_in_place()) remove_pause_handler();
  }
}

void after_restriction(Restriction restriction, bool in_force) {
  if (in_force && restriction == Restriction::kNoTicks) {
    attach_no_more();
    release_thread();
  }
  if (!in_force && restriction == Restriction::kSystemCalls && segment) install_pause_handler();
}

}  // namespace tailback

using namespace tailback;

TAILBACK_EXPORT int prctl(int option, ...) noexcept {
  va_list list;
  va_start(list, option);
  unsigned long a[4];
  for (unsigned long& value : a) value = va_arg(list, unsigned long);
  va_end(list);
  const auto call = [&] { return next.prctl(option, a[0], a[1], a[2], a[3]); };
  const Restriction restriction =
      restriction_of(SYS_prctl, static_cast<unsigned long>(option), a[0]);
  if (restriction == Restriction::kNone) return call();
  return static_cast<int>(under_restriction(restriction, call));
}
