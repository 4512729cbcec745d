#include "instrument/recorder/hold.h"

#include <signal.h>
#include <ucontext.h>

#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {
namespace {

using contract::HoldState;
using contract::ThreadRecord;

constexpr int kHoldSignal = SIGURG;

bool handler_in_place = false;

constexpr uint32_t as_word(HoldState state) {
  return static_cast<uint32_t>(state);
}

void save_registers(const ucontext_t& interrupted, contract::Context& context) {
  const greg_t* registers = interrupted.uc_mcontext.gregs;
  context.instruction_pointer = static_cast<uint64_t>(registers[REG_RIP]);
  context.stack_pointer = static_cast<uint64_t>(registers[REG_RSP]);
  context.saved[contract::kRbx] = static_cast<uint64_t>(registers[REG_RBX]);
  context.saved[contract::kRbp] = static_cast<uint64_t>(registers[REG_RBP]);
  context.saved[contract::kR12] = static_cast<uint64_t>(registers[REG_R12]);
  context.saved[contract::kR13] = static_cast<uint64_t>(registers[REG_R13]);
  context.saved[contract::kR14] = static_cast<uint64_t>(registers[REG_R14]);
  context.saved[contract::kR15] = static_cast<uint64_t>(registers[REG_R15]);
}

void on_hold(int, siginfo_t*, void* interrupted) {
  // Only a thread that has a record can be held; attaching here could come in the middle of itself.
  if (!segment || !still_in_same_process()) return;
  ThreadRecord* record = current_thread.record;
  if (!record) return;
  // Whatever the reason for the signal, it may have interrupted a call.
  record->holds.fetch_add(1, std::memory_order_relaxed);
  if (record->hold_state.load(std::memory_order_acquire) != as_word(HoldState::kAsked)) return;

  save_registers(*static_cast<const ucontext_t*>(interrupted), record->hold_context);
  uint32_t expected = as_word(HoldState::kAsked);
  const uint64_t begin = ticks();
  if (!record->hold_state.compare_exchange_strong(expected, as_word(HoldState::kHeld))) return;
  const uint64_t limit = segment->header.hold_limit_ticks.load(std::memory_order_relaxed);
  for (;;) {
    if (record->hold_state.load(std::memory_order_acquire) == as_word(HoldState::kReleased)) {
      record->hold_state.store(as_word(HoldState::kNone), std::memory_order_release);
      break;
    }
    if (ticks() - begin > limit) {
      expected = as_word(HoldState::kHeld);
      if (record->hold_state.compare_exchange_strong(expected, as_word(HoldState::kExpired))) break;
      continue;  // released at the last moment
    }
    __builtin_ia32_pause();
  }
  const uint64_t length = ticks() - begin;
  if (length > record->hold_ticks_longest.load(std::memory_order_relaxed)) {
    record->hold_ticks_longest.store(length, std::memory_order_relaxed);
  }
}

// The kernel's own form of sigaction: libc's would be seen, and delayed, by ThreadSanitizer.
struct KernelSigaction {
  void (*handler)(int, siginfo_t*, void*);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};
constexpr unsigned long kRestorerFlag = 0x04000000;

extern "C" __attribute__((visibility("hidden"))) void tailback_signal_return();
asm(R"(
    .text
    .hidden tailback_signal_return
    .globl tailback_signal_return
    .type tailback_signal_return, @function
tailback_signal_return:
    movq $15, %rax
    syscall
    .size tailback_signal_return, .-tailback_signal_return
)");
static_assert(SYS_rt_sigreturn == 15);

void announce(bool in_place) {
  handler_in_place = in_place;
  if (contract::ProcessRecord* record = process_record()) {
    record->hold_ready.store(in_place ? 1 : 0, std::memory_order_release);
  }
}

}  // namespace

bool hold_handler_in_place() {
  return handler_in_place;
}

void install_hold_handler() {
  KernelSigaction current{};
  if (raw_syscall(SYS_rt_sigaction, kHoldSignal, 0, reinterpret_cast<long>(&current), 8) != 0) {
    return;
  }
  if (current.handler != nullptr) return;  // SIG_DFL is 0
  KernelSigaction action{};
  action.handler = on_hold;
  action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | kRestorerFlag;
  action.restorer = tailback_signal_return;
  action.mask = ~uint64_t{0};
  if (raw_syscall(SYS_rt_sigaction, kHoldSignal, reinterpret_cast<long>(&action), 0, 8) == 0) {
    announce(true);
  }
}

}  // namespace tailback

using namespace tailback;

// The program keeps its right to the signal. While it leaves the default action in place (or puts
// it back, as node does with all signals at its start) our handler stays and the program is told
// what it expects; when it wants the signal for itself, we step aside for good.
TAILBACK_EXPORT int sigaction(int number, const struct sigaction* action,
                              struct sigaction* old) noexcept {
  if (__builtin_expect(number != kHoldSignal || !handler_in_place, 1)) {
    return next.sigaction(number, action, old);
  }
  if (action && (action->sa_flags & SA_SIGINFO || action->sa_handler != SIG_DFL)) {
    announce(false);
    const int result = next.sigaction(number, action, old);
    if (old) *old = {};
    return result;
  }
  if (old) *old = {};
  return 0;
}

TAILBACK_EXPORT sighandler_t signal(int number, sighandler_t handler) noexcept {
  if (__builtin_expect(number != kHoldSignal || !handler_in_place, 1)) {
    return next.signal(number, handler);
  }
  if (handler == SIG_DFL) return SIG_DFL;
  announce(false);
  const sighandler_t old = next.signal(number, handler);
  return old == SIG_ERR ? SIG_ERR : SIG_DFL;
}
