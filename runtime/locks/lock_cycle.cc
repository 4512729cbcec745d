#include "runtime/locks/lock_cycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/explain/fingerprint.h"
#include "runtime/explain/lock_advice.h"

namespace tailback {

using contract::HeldKind;

namespace {

std::string_view word_of(HeldKind kind) {
  switch (kind) {
    case HeldKind::kRead:
      return "read";
    case HeldKind::kWrite:
      return "write";
    case HeldKind::kSpin:
      return "spin";
    case HeldKind::kMutex:
    case HeldKind::kNone:
      break;
  }
  return "mutex";
}

std::string_view kind_of_lock(HeldKind kind) {
  return kind == HeldKind::kRead || kind == HeldKind::kWrite ? "rwlock" : word_of(kind);
}

// The same places in whatever order the steps were found.
std::string fingerprint_of(const LockOrder& order) {
  std::vector<std::string> steps;
  for (const LockStep& step : order.steps) {
    Stall place;
    place.cause = Cause::kLock;
    place.call = BlockedCall{};
    place.call->function = step.taken_for;
    place.stack = step.stack;
    place.culprit = step.culprit;
    steps.push_back(fingerprint(place));
  }
  Stall all;
  all.cause = Cause::kLock;
  return fingerprint(std::move(steps), std::move(all));
}

}  // namespace

LockPlace place_of_lock(const ModuleMap& modules, uint64_t address) {
  const Mapping* const mapping = modules.find(RemoteAddress(address));
  if (mapping == nullptr) return LockPlace::kHeap;
  if (mapping->is_file()) return LockPlace::kModule;
  if (mapping->path.starts_with("[stack")) return LockPlace::kStack;
  if (!mapping->path.empty()) return LockPlace::kHeap;
  // Below a thread's stack lies its guard. So does the rest of one heap of malloc's below the next,
  // but each begins at a multiple of 64 MiB.
  constexpr uint64_t kHeapAlignment = uint64_t{64} << 20;
  if (mapping->begin.value % kHeapAlignment == 0) return LockPlace::kHeap;
  const auto& all = modules.mappings();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Mapping& one) {
    return one.end.value == mapping->begin.value;
  });
  const bool guarded = it != all.end() && it->path.empty() && !it->writable && !it->executable;
  return guarded ? LockPlace::kStack : LockPlace::kHeap;
}

bool CycleReader::is_variable(int pid, const ModuleMap& modules, uint64_t address) {
  return stacks().variable_at(pid, modules, RemoteAddress(address)).has_value();
}

Frame CycleReader::caller(int pid, const ModuleMap& modules, uint64_t call_site) {
  if (call_site == 0) return {};
  RawFrame frame;
  frame.address = RemoteAddress(call_site);
  auto frames = stacks().symbolize(pid, modules, frame);
  if (frames.empty()) return {};
  // What was inlined (std::mutex::lock) says less than the function that it stands in.
  const size_t culprit = reader_.culprit_of(frames);
  return std::move(frames[culprit < frames.size() ? culprit : 0]);
}

LockStep CycleReader::read_step(int pid, const ModuleMap& modules, const CycleStep& step) {
  const Acquisition& acquisition = *step.acquisition;
  LockStep read;
  read.tid = acquisition.tid;
  read.thread = acquisition.thread;
  read.held_for = word_of(step.held.kind);
  read.taken_for = word_of(acquisition.taken.kind);
  read.held_at = caller(pid, modules, step.held.call_site);
  if (acquisition.stack) {
    read.stack = stacks().symbolize(pid, modules, *acquisition.stack);
    read.stack_complete = acquisition.stack->complete;
    strip_recorder(read.stack);
  } else {
    RawFrame frame;
    frame.address = RemoteAddress(acquisition.taken.call_site);
    read.stack = stacks().symbolize(pid, modules, frame);
    read.stack_complete = false;
  }
  read.culprit = reader_.culprit_of(read.stack);
  return read;
}

LockOrder CycleReader::read(int pid, const ModuleMap& modules, const Cycle& cycle,
                            const std::vector<uint64_t>& origins) {
  LockOrder order;
  order.pid = pid;
  for (size_t i = 0; i < cycle.size(); ++i) {
    OrderedLock lock;
    lock.address = cycle[i].held.lock.address;
    lock.kind = kind_of_lock(cycle[i].held.kind);
    if (auto name = stacks().variable_at(pid, modules, RemoteAddress(lock.address))) {
      lock.name = std::move(*name);
    }
    lock.initialised = caller(pid, modules, i < origins.size() ? origins[i] : 0);
    order.locks.push_back(std::move(lock));
    LockStep step = read_step(pid, modules, cycle[i]);
    step.held = i;
    step.taken = (i + 1) % cycle.size();
    order.steps.push_back(std::move(step));
  }
  order.advice = lock_order_advice(order);
  order.fingerprint = fingerprint_of(order);
  return order;
}

}  // namespace tailback
