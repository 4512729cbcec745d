#include "runtime/analysis/lock_names.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/interpreters/interpreter_stack.h"

namespace tailback {

namespace {

bool lies_on_stack_of(const Sample& sample, RemoteAddress address) {
  constexpr uint64_t kFarthest = 8 << 20;  // a thread's usual stack
  return sample.snapshot && address.value >= sample.snapshot->stack_begin.value &&
         address.value - sample.snapshot->stack_begin.value < kFarthest;
}

}  // namespace

std::string LockNames::name_at(int pid, const ModuleMap& modules, const LockReading& lock) {
  if (const auto variable = reader_.source().variable_at(pid, modules, lock.address))
    return *variable;
  const Mapping* const mapping = modules.find(lock.address);
  if (!mapping || mapping->path.empty()) return fmt::format("{:#x}", lock.address.value);
  if (mapping->path.starts_with('[')) {
    return fmt::format("{:#x} {}", lock.address.value, mapping->path);
  }
  // The kernel's name for shared anonymous memory.
  if (mapping->path == "/dev/zero") return fmt::format("{:#x} [shared]", lock.address.value);
  return fmt::format("{}+{:#x}", file_name(mapping->path),
                     lock.address.value - mapping->begin.value + mapping->file_offset);
}

Lock LockNames::lock_of(int pid, const Sample& waiter, const LockReading& reading) {
  Lock lock;
  lock.kind = reading.kind;
  lock.type = reading.type;
  lock.address = reading.address.value;
  lock.holders = reading.holders;
  if (reading.address.value != 0 && waiter.snapshot) {
    lock.name = name_at(pid, *waiter.snapshot->modules, reading);
    const Mapping* const mapping = waiter.snapshot->modules->find(reading.address);
    if (mapping && mapping->path.empty() && lies_on_stack_of(waiter, reading.address)) {
      lock.name += " [stack of who waits for it]";
    }
  } else if (waiter.call) {
    lock.name = waiter.call->call.object;  // a file, a thread
  }
  return lock;
}

void LockNames::name_object(int pid, const Sample& sample, BlockedCall& call) {
  const RemoteAddress lock = sample.call->lock;
  if (lock.value == 0) return;
  if (sample.call->cause == Cause::kGil) {
    call.object = "the interpreter's lock (GIL)";
  } else {
    LockReading reading = sample.call->reading.value_or(LockReading{});
    reading.address = lock;
    call.object = name_at(pid, *sample.snapshot->modules, reading);
  }
  if (sample.owner_stack && sample.owners.empty()) {
    call.owner_stack = frames_of(*sample.owner_stack);
  }
  if (sample.call->owner_tid > 0) {
    call.object +=
        fmt::format(", held by thread {} ({})", sample.owner_name, sample.call->owner_tid);
  } else if (sample.call->reading && !sample.call->reading->holders.empty()) {
    call.object += ", " + sample.call->reading->holders;
  }
}

Lock as_held(Lock lock, bool for_writing) {
  if (lock.kind == LockKind::kRwlock) lock.type = for_writing ? "write" : "read";
  lock.holders.clear();
  return lock;
}

}  // namespace tailback
