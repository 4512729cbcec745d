// What an unwinding library has to read_request to stand behind Unwinder: to walk from one frame
// outwards for as far as call frame information leads.
#pragma once

#include <memory>

#include "runtime/capture/module_files.h"
#include "runtime/capture/snapshot.h"
#include "runtime/unwind/machine_state.h"
#include "runtime/unwind/unwinder.h"

namespace tailback {

enum class WalkEnd {
  kThreadStart,  // the call frame information says that there is no caller
  kNoCfi,        // no call frame information covers the last frame
  kFailed,       // what there is leads nowhere
};

class Engine {
 public:
  virtual ~Engine() = default;

  // `state` is the frame that out.frames ends with. Adds its callers to `out`. On kNoCfi, `state`
  // is the last frame added (or still the first): its instruction, stack and, if known, frame
  // pointer.
  virtual WalkEnd walk(const Snapshot& snapshot, MachineState& state, RawStack& out) = 0;
};

std::unique_ptr<Engine> make_libunwind_engine(std::shared_ptr<ModuleFiles> files);
std::unique_ptr<Engine> make_libdw_engine(std::shared_ptr<ModuleFiles> files);

// Adds a frame, unless it makes no progress, or there are enough. `interrupted`: the frame before
// is a signal's, so that this one can be on any stack.
bool add_frame(RawStack& out, const RawFrame& frame, bool interrupted);

// Reads memory that can't have changed since the snapshot was taken: the captured stack, and the
// constant parts of module files. Remembers the last module. One object serves one walk.
class ConstantMemory {
 public:
  ConstantMemory(const Snapshot& snapshot, ModuleFiles& files)
      : snapshot_(&snapshot), files_(&files) {}

  // A word at any address. Bytes behind the end of a segment's file part read as 0.
  bool read_word(RemoteAddress address, uint64_t& out);
  // Whether a signal handler returns to this address: it is the code, the kernel's or the C
  // library's, that makes the rt_sigreturn system call.
  bool is_signal_return(RemoteAddress address);
  // The module at an address, as ModuleFiles::locate() finds it.
  const ModuleFiles::Place* locate(RemoteAddress address);

 private:
  const Snapshot* snapshot_;
  ModuleFiles* files_;
  const Mapping* mapping_ = nullptr;
  std::optional<ModuleFiles::Place> place_;
};

}  // namespace tailback
