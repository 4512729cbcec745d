// Whether a thread is still in the call that its record names. Most calls clear the record when
// they return; but one that must see its caller (dlopen, vfork) leaves no frame that could do so,
// and one that is left by siglongjmp or by its thread's cancellation does not come back.
#pragma once

#include <cstdint>

#include "runtime/capture/module_map.h"
#include "runtime/segment/record_view.h"

namespace tailback {

// Where a thread stands: as the kernel shows it if it is blocked, as a hold does if it runs.
struct ThreadPosition {
  uint64_t stack_pointer = 0;
  long system_call = -1;  // that it is blocked in
};

// Valid for as long as the thread stands still. `modules` is the process's map.
bool is_in_call(int pid, const CallView& call, bool open_ended, const ThreadPosition& position,
                const ModuleMap& modules);

}  // namespace tailback
