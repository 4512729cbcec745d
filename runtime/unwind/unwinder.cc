#include "runtime/unwind/unwinder.h"

#include <utility>

#include "runtime/unwind/engine.h"
#include "runtime/unwind/frame_pointer.h"

namespace tailback {
namespace {

// _start: nothing called it, whether or not its call frame information says so.
constexpr uint64_t kEntryBytes = 64;

class EngineUnwinder final : public Unwinder {
 public:
  EngineUnwinder(std::unique_ptr<Engine> engine, std::shared_ptr<ModuleFiles> files)
      : engine_(std::move(engine)), files_(std::move(files)) {}

  RawStack unwind(const Snapshot& snapshot) override {
    RawStack stack;
    if (snapshot.modules == nullptr) return stack;
    MachineState state(snapshot.registers);
    RawFrame frame = frame_of(state);
    while (add_frame(stack, frame, false)) {
      const WalkEnd end = engine_->walk(snapshot, state, stack);
      if (end == WalkEnd::kThreadStart || is_start(snapshot, state, stack, end)) {
        stack.complete = true;
        break;
      }
      if (end != WalkEnd::kNoCfi || !step_by_frame_pointer(snapshot, state)) break;
      frame = frame_of(state);
    }
    return stack;
  }

 private:
  static RawFrame frame_of(const MachineState& state) {
    RawFrame frame;
    frame.address = RemoteAddress(state.get(machine::kInstructionPointer));
    frame.after_call = state.after_call;
    frame.stack_pointer = RemoteAddress(state.get(machine::kStackPointer));
    return frame;
  }

  // Starts of threads without the end mark: an executable's entry, and a module's code with the
  // frame pointer that the ABI gives the outermost frame.
  bool is_start(const Snapshot& snapshot, const MachineState& state, const RawStack& stack,
                WalkEnd end) {
    const RawFrame& last = stack.frames.back();
    const uint64_t address = last.address.value - (last.after_call ? 1 : 0);
    const auto place = files_->locate(snapshot.pid, *snapshot.modules, RemoteAddress(address));
    if (!place) return false;
    const uint64_t entry = place->image->entry();
    if (entry != 0 && place->address >= entry && place->address - entry < kEntryBytes) return true;
    return end == WalkEnd::kNoCfi && state.known(machine::kFramePointer) &&
           state.get(machine::kFramePointer) == 0;
  }

  std::unique_ptr<Engine> engine_;
  std::shared_ptr<ModuleFiles> files_;
};

class BothUnwinder final : public Unwinder {
 public:
  BothUnwinder(std::unique_ptr<Unwinder> first, std::unique_ptr<Unwinder> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  RawStack unwind(const Snapshot& snapshot) override {
    RawStack one = first_->unwind(snapshot);
    if (one.complete) return one;
    RawStack other = second_->unwind(snapshot);
    return other.complete || other.frames.size() > one.frames.size() ? other : one;
  }

 private:
  std::unique_ptr<Unwinder> first_;
  std::unique_ptr<Unwinder> second_;
};

std::unique_ptr<Unwinder> with_libunwind(const std::shared_ptr<ModuleFiles>& files) {
  return std::make_unique<EngineUnwinder>(make_libunwind_engine(files), files);
}

std::unique_ptr<Unwinder> with_libdw(const std::shared_ptr<ModuleFiles>& files) {
  return std::make_unique<EngineUnwinder>(make_libdw_engine(files), files);
}

}  // namespace

bool add_frame(RawStack& out, const RawFrame& frame, bool interrupted) {
  if (out.frames.size() >= Unwinder::kMaxFrames) return false;
  if (!out.frames.empty() && !interrupted) {
    const RawFrame& inner = out.frames.back();
    if (frame.stack_pointer < inner.stack_pointer) return false;
    if (frame.stack_pointer == inner.stack_pointer && frame.address == inner.address) return false;
  }
  out.frames.push_back(frame);
  return true;
}

std::unique_ptr<Unwinder> make_libunwind_unwinder() {
  return with_libunwind(std::make_shared<ModuleFiles>());
}

std::unique_ptr<Unwinder> make_libdw_unwinder() {
  return with_libdw(std::make_shared<ModuleFiles>());
}

std::unique_ptr<Unwinder> make_unwinder() {
  auto files = std::make_shared<ModuleFiles>();
  return std::make_unique<BothUnwinder>(with_libunwind(files), with_libdw(files));
}

}  // namespace tailback
