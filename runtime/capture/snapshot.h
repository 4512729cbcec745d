// A thread's registers and stack at one moment, with the modules that its code lies in: all that
// unwinding needs, so that unwinding is a pure function which tests can replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/capture/module_map.h"
#include "runtime/capture/remote_address.h"

namespace tailback {

struct Registers {
  contract::Context context{};
  // True: all callee-saved registers are in `context`. False: only the instruction and the stack
  // pointer are (the kernel's view of a blocked thread).
  bool complete = true;
  // The instruction pointer is a return address: the thread is in what was called before it.
  bool after_call = false;
};

struct Snapshot {
  uint64_t id = 0;  // names it in a recording of observations; else 0
  int pid = 0;
  int tid = 0;
  Registers registers;
  RemoteAddress stack_begin;     // address of stack[0]; at or below the stack pointer
  std::vector<std::byte> stack;  // up to kStackBytes from the stack pointer upwards
  std::shared_ptr<const ModuleMap> modules;

  static constexpr size_t kStackBytes = 64 * 1024;

  // Copies `size` bytes at `address` if the captured stack holds them all.
  bool read_stack(RemoteAddress address, void* out, size_t size) const;
};

// Takes the stack of a thread that stands still (blocked, or held). Nothing if the process is gone
// or may not be read. Uses one process_vm_readv for the stack. `modules` is the process's map, as
// read before.
std::optional<Snapshot> take_snapshot(int pid, int tid, const Registers& registers,
                                      std::shared_ptr<const ModuleMap> modules);

}  // namespace tailback
