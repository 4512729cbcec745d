#include "runtime/sampling/call_presence.h"

#include <sys/syscall.h>

#include <algorithm>

#include "runtime/capture/memory.h"

namespace tailback {

namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

// Whether two addresses belong to one stack. A stack is one mapping, though not every mapping is
// one stack: fibers may have theirs side by side. Stacks younger than the map are in no mapping.
bool are_on_one_stack(RemoteAddress a, RemoteAddress b, const ModuleMap& modules) {
  constexpr uint64_t kNear = 1 << 20;
  const Mapping* one = modules.find(a);
  const Mapping* other = modules.find(b);
  if (one || other) return one == other;
  return std::max(a, b) - std::min(a, b) < kNear;
}

// glibc's vfork takes the return address off the stack before it asks the kernel, since the child
// writes over that place.
bool is_in_vfork(const CallView& call, const ThreadPosition& position) {
  switch (position.system_call) {
#ifdef SYS_vfork
    case SYS_vfork:
#endif
    case SYS_clone:
    case SYS_clone3:
      return position.stack_pointer == call.context.stack_pointer ||
             position.stack_pointer == call.context.stack_pointer - kWord;
    default:
      return false;
  }
}

// Deeper than its caller, whose return address is still in place. After the return the next call
// that the caller makes overwrites it.
bool is_below_caller(int pid, const CallView& call, const ThreadPosition& position) {
  const RemoteAddress caller(call.context.stack_pointer);
  if (position.stack_pointer >= caller.value) return false;
  return read<uint64_t>(pid, caller - kWord) == call.context.instruction_pointer;
}

}  // namespace

bool is_in_call(int pid, const CallView& call, bool open_ended, const ThreadPosition& position,
                const ModuleMap& modules) {
  if (open_ended) return is_in_vfork(call, position) || is_below_caller(pid, call, position);
  // The interceptor's frame stands while its call is in progress, so that a thread which stands
  // above it on the same stack has left the call. On another stack it may be in a signal handler or
  // in a fiber, and the frame may live. Where two stacks look like one because they share a
  // mapping, the verdict does no harm: the call in the record is then not what the thread is
  // blocked in, as that would be the last thing it wrote there.
  return position.stack_pointer <= call.context.stack_pointer ||
         !are_on_one_stack(RemoteAddress(position.stack_pointer),
                           RemoteAddress(call.context.stack_pointer), modules);
}

}  // namespace tailback
