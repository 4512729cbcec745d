#include "runtime/capture/snapshot.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/capture/memory.h"

namespace tailback {

bool Snapshot::read_stack(RemoteAddress address, void* out, size_t size) const {
  if (address < stack_begin || size > stack.size()) return false;
  const uint64_t offset = address - stack_begin;
  if (offset > stack.size() - size) return false;
  std::memcpy(out, stack.data() + offset, size);
  return true;
}

std::optional<Snapshot> take_snapshot(int pid, int tid, const Registers& registers,
                                      std::shared_ptr<const ModuleMap> modules) {
  Snapshot snapshot;
  snapshot.pid = pid;
  snapshot.tid = tid;
  snapshot.registers = registers;
  snapshot.stack_begin = RemoteAddress(registers.context.stack_pointer & ~uint64_t{7});
  size_t size = Snapshot::kStackBytes;
  // Beyond its mapping lies another thread's stack, or what is none. A stack younger than the map
  // is in no mapping: then the read ends where memory does.
  if (modules != nullptr) {
    if (const Mapping* mapping = modules->find(snapshot.stack_begin))
      size = std::min<uint64_t>(size, mapping->end - snapshot.stack_begin);
  }
  snapshot.modules = std::move(modules);
  snapshot.stack.resize(size);
  const size_t got = read_memory(pid, snapshot.stack_begin, snapshot.stack);
  if (got == 0) return std::nullopt;
  snapshot.stack.resize(got);
  return snapshot;
}

}  // namespace tailback
