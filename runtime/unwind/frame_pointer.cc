#include "runtime/unwind/frame_pointer.h"

#include <array>

namespace tailback {

bool step_by_frame_pointer(const Snapshot& snapshot, MachineState& state) {
  if (!state.known(machine::kFramePointer) || !state.known(machine::kStackPointer)) return false;
  const uint64_t frame = state.get(machine::kFramePointer);
  if (frame < state.get(machine::kStackPointer) || frame % 8 != 0) return false;
  // The caller's frame pointer, and above it the return address, on both machines.
  std::array<uint64_t, 2> saved;
  if (!snapshot.read_stack(RemoteAddress(frame), saved.data(), sizeof saved)) return false;
  if (saved[1] == 0 || snapshot.modules == nullptr) return false;
  const Mapping* code = snapshot.modules->find(RemoteAddress(saved[1] - 1));
  if (code == nullptr || !code->executable) return false;
  MachineState caller;
  caller.set(machine::kInstructionPointer, saved[1]);
  caller.set(machine::kStackPointer, frame + sizeof saved);
  caller.set(machine::kFramePointer, saved[0]);
  caller.after_call = true;
  state = caller;
  return true;
}

}  // namespace tailback
