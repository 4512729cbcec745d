// Waits that any handler ends. A hold's signal would end them too, and they can't be made again: a
// signal that the program waits for may have come at the same time. So that signal is kept out for
// as long as they last; it is delivered when they end.
#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/hold.h"
#include "instrument/recorder/machine.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

namespace {

constexpr size_t kKernelMask = 8;  // bytes of it that the kernel knows

// A mask that keeps the hold's signal out; the program's own, if the signal is the program's.
class MaskWithoutHolds {
 public:
  explicit MaskWithoutHolds(const sigset_t& mask) : mask_(mask) {
    if (hold_handler_in_place()) sigaddset(&mask_, kHoldSignal);
  }
  const sigset_t* mask() const { return &mask_; }

 private:
  sigset_t mask_;
};

}  // namespace

TAILBACK_EXPORT int pause() {
  CallScope scope(CALL_SITE, Function::pause);
  if (!hold_handler_in_place()) return next.pause();
  sigset_t current{};
  raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, reinterpret_cast<long>(&current), kKernelMask);
  const MaskWithoutHolds without_holds(current);
  return next.sigsuspend(without_holds.mask());
}

#define SIGSUSPEND(name)                              \
  TAILBACK_EXPORT int name(const sigset_t* mask) {    \
    CallScope scope(CALL_SITE, Function::name, mask); \
    const MaskWithoutHolds without_holds(*mask);      \
    return next.name(without_holds.mask());           \
  }
SIGSUSPEND(sigsuspend)
SIGSUSPEND(__sigsuspend)
