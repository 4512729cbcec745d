// Waits for signals.
//
// sigwait and the like take a signal: a loop may wait in them, on a thread that has no event wait.
// pause, sigsuspend and sigpause end with any handler. The signal of a pause would end them too,
// and they can't be made again: a signal that the program waits for may have come at the same time.
// So they block the signal of the pause for as long as they last; it is delivered when they end.
//
// libc_declarations.h goes first, as it makes libc declare each symbol as itself.
#include "instrument/recorder/libc_declarations.h"

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/machine.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/pause.h"
#include "instrument/recorder/wait_sites.h"

using namespace tailback;

namespace {

constexpr size_t kKernelMask = 8;  // bytes of it that the kernel knows

// A mask that blocks the signal of the pause, unless the program uses that signal itself.
class MaskWithoutPauses {
 public:
  explicit MaskWithoutPauses(const sigset_t& mask) : mask_(mask) {
    if (pause_handler_in_place()) sigaddset(&mask_, kPauseSignal);
  }
  const sigset_t* mask() const { return &mask_; }

 private:
  sigset_t mask_;
};

sigset_t current_mask() {
  sigset_t current{};
  raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, reinterpret_cast<long>(&current), kKernelMask);
  return current;
}

// X/Open's sigpause lets one more signal in. It has to refuse what libc refuses.
bool let_in(sigset_t& mask, int number) {
  return number > 0 && number < NSIG && sigdelset(&mask, number) == 0;
}

// BSD's sigpause: the first signals of the mask, as a number.
sigset_t mask_of(int bits) {
  sigset_t mask{};
  __builtin_memcpy(&mask, &bits, sizeof bits);
  return mask;
}

}  // namespace

#define WAIT_FOR_SIGNAL(name, parameters, ...)                                                    \
  TAILBACK_EXPORT int name parameters {                                                           \
    const uint64_t call_site = CALL_SITE;                                                         \
    CallScope scope(call_site, Function::name, __VA_ARGS__);                                      \
    IterationBoundary boundary;                                                                   \
    boundary.enter(scope, Function::name, contract::call_site_key(call_site), call_site);         \
    const int result = call_through_pauses<int>(scope, [&]() { return next.name(__VA_ARGS__); }); \
    boundary.leave(scope, result >= 0 ? 1 : 0);                                                   \
    return result;                                                                                \
  }
WAIT_FOR_SIGNAL(sigwait, (const sigset_t* set, int* signal), set, signal)
WAIT_FOR_SIGNAL(sigwaitinfo, (const sigset_t* set, siginfo_t* info), set, info)
WAIT_FOR_SIGNAL(sigtimedwait,
                (const sigset_t* set, siginfo_t* info, const struct timespec* timeout), set, info,
                timeout)

TAILBACK_EXPORT int pause() {
  CallScope scope(CALL_SITE, Function::pause);
  if (!pause_handler_in_place()) return next.pause();
  const MaskWithoutPauses without_pauses(current_mask());
  return next.sigsuspend(without_pauses.mask());
}

#define SIGSUSPEND(name)                              \
  TAILBACK_EXPORT int name(const sigset_t* mask) {    \
    CallScope scope(CALL_SITE, Function::name, mask); \
    const MaskWithoutPauses without_pauses(*mask);    \
    return next.name(without_pauses.mask());          \
  }
SIGSUSPEND(sigsuspend)
SIGSUSPEND(__sigsuspend)

TAILBACK_EXPORT int sigpause(int bits) {
  CallScope scope(CALL_SITE, Function::sigpause, bits);
  if (!pause_handler_in_place()) return next.sigpause(bits);
  return next.sigsuspend(MaskWithoutPauses(mask_of(bits)).mask());
}

TAILBACK_EXPORT int __xpg_sigpause(int number) {
  CallScope scope(CALL_SITE, Function::__xpg_sigpause, number);
  sigset_t mask = current_mask();
  if (!pause_handler_in_place() || !let_in(mask, number)) return next.__xpg_sigpause(number);
  return next.sigsuspend(MaskWithoutPauses(mask).mask());
}

TAILBACK_EXPORT int __sigpause(int bits_or_number, int is_number) {
  CallScope scope(CALL_SITE, Function::__sigpause, bits_or_number, is_number);
  sigset_t mask = is_number ? current_mask() : mask_of(bits_or_number);
  if (!pause_handler_in_place() || (is_number && !let_in(mask, bits_or_number))) {
    return next.__sigpause(bits_or_number, is_number);
  }
  return next.sigsuspend(MaskWithoutPauses(mask).mask());
}
