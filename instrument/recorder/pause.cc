#include "instrument/recorder/pause.h"

#include <errno.h>
#include <ucontext.h>

#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {
namespace {

using contract::PauseState;
using contract::ProcessRecord;
using contract::ThreadRecord;

constexpr uint32_t as_word(PauseState state) {
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

// Whether the signal has cut a system call short, which is about to return EINTR. (If the kernel
// restarts the call, the thread is about to make it.)
bool cut_a_call_short(const ucontext_t& interrupted) {
  const greg_t* registers = interrupted.uc_mcontext.gregs;
  if (registers[REG_RAX] != -EINTR) return false;
  const auto next_instruction = static_cast<uintptr_t>(registers[REG_RIP]);
  const auto* code = reinterpret_cast<const unsigned char*>(next_instruction);
  if ((next_instruction & 4095) < 2) return true;  // the page before this one may not be there
  return code[-2] == 0x0f && code[-1] == 0x05;     // syscall
}

void on_pause(int, siginfo_t*, void* interrupted) {
  // Only a thread that has a record can be paused: attaching here could interrupt an attach.
  if (!segment || !still_in_same_process()) return;
  ThreadRecord* record = current_thread.record;
  if (!record) return;
  // Also if the signal has another sender: without this handler the program would not have noticed
  // it.
  const ucontext_t& context = *static_cast<const ucontext_t*>(interrupted);
  if (cut_a_call_short(context)) record->pauses.fetch_add(1, std::memory_order_relaxed);
  if (record->pause_state.load(std::memory_order_acquire) != as_word(PauseState::kAsked)) return;

  save_registers(context, record->pause_context);
  uint32_t expected = as_word(PauseState::kAsked);
  const uint64_t begin = ticks();
  if (!record->pause_state.compare_exchange_strong(expected, as_word(PauseState::kHeld))) return;
  const uint64_t limit = segment->header.pause_limit_ticks.load(std::memory_order_relaxed);
  for (;;) {
    if (record->pause_state.load(std::memory_order_acquire) == as_word(PauseState::kReleased)) {
      record->pause_state.store(as_word(PauseState::kNone), std::memory_order_release);
      break;
    }
    if (ticks() - begin > limit) {
      expected = as_word(PauseState::kHeld);
      if (record->pause_state.compare_exchange_strong(expected, as_word(PauseState::kExpired)))
        break;
      continue;  // released at the last moment
    }
    __builtin_ia32_pause();
  }
  const uint64_t length = ticks() - begin;
  if (length > record->pause_ticks_longest.load(std::memory_order_relaxed)) {
    record->pause_ticks_longest.store(length, std::memory_order_relaxed);
  }
}

// The kernel's own form of sigaction: ThreadSanitizer would see libc's, and delay it.
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

bool handler_in_place = false;

// The program's own action, which it gets when it asks. Its handler is the default one.
KernelSigaction programs_action{};

bool set_action(const KernelSigaction& action) {
  return raw_syscall(SYS_rt_sigaction, kPauseSignal, reinterpret_cast<long>(&action), 0, 8) == 0;
}

bool get_action(KernelSigaction& action) {
  return raw_syscall(SYS_rt_sigaction, kPauseSignal, 0, reinterpret_cast<long>(&action), 8) == 0;
}

// A vfork child has signal actions of its own, but its parent's memory.
bool in_process_of_record(const ProcessRecord& record) {
  return record.pid.load(std::memory_order_relaxed) == static_cast<int>(raw_syscall(SYS_getpid));
}

void announce(bool in_place) {
  ProcessRecord* record = process_record();
  if (record && !in_process_of_record(*record)) return;
  handler_in_place = in_place;
  if (record) record->pause_ready.store(in_place ? 1 : 0);
}

// After the announcement that the handler goes away: a pause that was asked for before may still
// bring a signal. Does not wait for an observer that is stopped in the middle of it.
void wait_for_pauses_under_way() {
  const ProcessRecord* process = process_record();
  if (!process) return;
  const uint32_t index = static_cast<uint32_t>(process - segment->processes);
  const uint64_t limit = 20 * segment->header.pause_limit_ticks.load(std::memory_order_relaxed);
  const uint64_t begin = ticks();
  const uint32_t used = segment->header.threads_used.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < used && i < contract::kThreadCapacity; ++i) {
    const ThreadRecord& thread = segment->threads[i];
    if (thread.process.load(std::memory_order_relaxed) != index) continue;
    while (thread.pause_state.load() == as_word(PauseState::kAsked) && ticks() - begin < limit) {
      raw_syscall(SYS_sched_yield);
    }
  }
}

bool is_pause_handler_in_place() {
  KernelSigaction current{};
  return get_action(current) && current.handler == on_pause;
}

}  // namespace

bool pause_handler_in_place() {
  return handler_in_place;
}

void install_pause_handler() {
  KernelSigaction current{};
  if (!get_action(current) || current.handler != nullptr) return;  // SIG_DFL is 0
  KernelSigaction action{};
  action.handler = on_pause;
  action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | kRestorerFlag;
  action.restorer = tailback_signal_return;
  action.mask = ~uint64_t{0};
  programs_action = current;
  if (set_action(action)) announce(true);
}

bool remove_pause_handler() {
  if (!is_pause_handler_in_place()) return false;
  announce(false);
  wait_for_pauses_under_way();
  return set_action(programs_action);
}

namespace {

// As libc's sigaction reports it.
void show_programs_action(struct sigaction& shown) {
  shown.sa_sigaction = programs_action.handler;
  shown.sa_flags = static_cast<int>(programs_action.flags);
  shown.sa_restorer = programs_action.restorer;
  __builtin_memcpy(&shown.sa_mask, &programs_action.mask, sizeof programs_action.mask);
}

// Makes a call that may change what a signal does. For the signal of the pause it first restores
// the program's own action, so that libc and the kernel give the answers. While the program leaves
// the default action (or restores it, as node does with all signals at its start) the recorder's
// handler is then installed again; when the program wants the signal for itself, the recorder steps
// aside.
template <typename Call>
TAILBACK_INLINE auto with_programs_action(int number, Call call) {
  if (__builtin_expect(number != kPauseSignal, 1)) return call();
  if (!remove_pause_handler()) return call();
  const auto result = call();
  install_pause_handler();
  return result;
}

}  // namespace
}  // namespace tailback

using namespace tailback;

TAILBACK_EXPORT int sigaction(int number, const struct sigaction* action,
                              struct sigaction* old) noexcept {
  if (__builtin_expect(number == kPauseSignal, 0) && !action && old &&
      is_pause_handler_in_place()) {
    show_programs_action(*old);
    return 0;
  }
  return with_programs_action(number, [&] { return next.sigaction(number, action, old); });
}

// All of libc's names for setting a handler, or its flags.
#define SIGNAL(name)                                                                 \
  TAILBACK_EXPORT sighandler_t name(int number, sighandler_t handler) noexcept {     \
    return with_programs_action(number, [&] { return next.name(number, handler); }); \
  }
SIGNAL(signal)
SIGNAL(bsd_signal)
SIGNAL(ssignal)
SIGNAL(sysv_signal)
SIGNAL(__sysv_signal)
SIGNAL(sigset)

TAILBACK_EXPORT int sigignore(int number) noexcept {
  return with_programs_action(number, [&] { return next.sigignore(number); });
}

TAILBACK_EXPORT int siginterrupt(int number, int interrupt) noexcept {
  return with_programs_action(number, [&] { return next.siginterrupt(number, interrupt); });
}
