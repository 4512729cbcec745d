#include "runtime/analysis/lock_order_analyzer.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "runtime/explain/fingerprint.h"
#include "runtime/explain/lock_advice.h"
#include "runtime/locks/lock_place.h"

namespace tailback {

using contract::HeldKind;

bool has_ended(int pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

namespace {

constexpr size_t kMostCycles = 10000;  // of one program

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

// Does not depend on the order in which the steps were found.
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

// Equal for the same locks, or for other ones that were initialised at the same places.
std::vector<uint64_t> key_of(const Cycle& cycle) {
  std::vector<uint64_t> key;
  for (const CycleStep& step : cycle) {
    key.push_back(step.held.origin != 0 ? step.held.origin : step.held.lock.address);
  }
  std::sort(key.begin(), key.end());
  return key;
}

}  // namespace

void LockOrderAnalyzer::analyze(const AcquisitionSeen& seen) {
  Program& program = program_of(seen);
  if (seen.released) {
    program.graph.exclude(seen.acquisition.taken.lock.address);
    return;
  }
  auto acquisition = std::make_shared<Acquisition>(seen.acquisition);
  if (seen.snapshot) {
    acquisition->stack = std::make_shared<const RawStack>(reader_.source().unwind(*seen.snapshot));
  }
  for (const Cycle& cycle : program.graph.add(acquisition)) consider(seen, program, cycle);
}

LockOrderAnalyzer::Program& LockOrderAnalyzer::program_of(const AcquisitionSeen& seen) {
  const auto key = std::make_pair(seen.pid, seen.generation);
  if (programs_.size() >= kMostPrograms && !programs_.contains(key)) make_room();
  Program& program = programs_[key];
  program.modules = seen.modules;
  program.last_tick = seen.acquisition.tick;
  return program;
}

// Those that have ended, which loses nothing; if there are none, the one that has sent nothing for
// longest.
void LockOrderAnalyzer::make_room() {
  const auto forget = [this](auto it) {
    left_out_ += it->second.graph.left_out();
    return programs_.erase(it);
  };
  for (auto it = programs_.begin(); it != programs_.end();) {
    const auto next = std::next(it);
    const int pid = it->first.first;
    const bool executes_another = next != programs_.end() && next->first.first == pid;
    it = executes_another || has_ended_(pid) ? forget(it) : next;
  }
  if (programs_.size() < kMostPrograms) return;
  forget(std::min_element(programs_.begin(), programs_.end(), [](const auto& a, const auto& b) {
    return a.second.last_tick < b.second.last_tick;
  }));
  ++forgotten_programs_;
}

bool LockOrderAnalyzer::is_one_lock(const AcquisitionSeen& seen, const Program& program,
                                    const LockUse& use) {
  if (use.origin != 0) return true;
  switch (place_of_lock(*program.modules, use.lock.address)) {
    case LockPlace::kModule:
      return true;
    case LockPlace::kStack:
      return false;
    case LockPlace::kHeap:
      break;
  }
  const RemoteAddress address(use.lock.address);
  return seen.sees_frees ||
         reader_.source().variable_at(seen.pid, *program.modules, address).has_value();
}

void LockOrderAnalyzer::consider(const AcquisitionSeen& seen, Program& program,
                                 const Cycle& cycle) {
  const bool is_sure = std::all_of(cycle.begin(), cycle.end(), [&](const CycleStep& step) {
    return is_one_lock(seen, program, step.held);
  });
  if (!is_sure) {
    ++counts_.lost;
    return;
  }
  const std::vector<uint64_t> key = key_of(cycle);
  const bool is_full = program.met.size() >= kMostCycles && !program.met.contains(key);
  if (is_full || program.met[key]++ > 0) {
    ++counts_.repeated;
    return;
  }
  LockOrder order = read(seen.pid, *program.modules, cycle);
  order.time = seen.time;
  order.process = seen.process;
  ++counts_.reported;
  reporter_.report(order);
}

LockStep LockOrderAnalyzer::read_step(int pid, const ModuleMap& modules, const CycleStep& step) {
  const Acquisition& acquisition = *step.acquisition;
  LockStep read;
  read.tid = acquisition.tid;
  read.thread = acquisition.thread;
  read.held_for = word_of(step.held.kind);
  read.taken_for = word_of(acquisition.taken.kind);
  read.held_at = reader_.caller(pid, modules, step.held.call_site);
  if (acquisition.stack) {
    read.stack = reader_.source().symbolize(pid, modules, *acquisition.stack);
    read.stack_complete = acquisition.stack->complete;
    strip_recorder(read.stack);
  } else {
    RawFrame frame;
    frame.address = RemoteAddress(acquisition.taken.call_site);
    read.stack = reader_.source().symbolize(pid, modules, frame);
    read.stack_complete = false;
  }
  read.culprit = reader_.culprit_of(read.stack);
  return read;
}

LockOrder LockOrderAnalyzer::read(int pid, const ModuleMap& modules, const Cycle& cycle) {
  LockOrder order;
  order.pid = pid;
  for (size_t i = 0; i < cycle.size(); ++i) {
    const LockUse& held = cycle[i].held;
    OrderedLock lock;
    lock.address = held.lock.address;
    lock.kind = kind_of_lock(held.kind);
    lock.name =
        reader_.source().variable_at(pid, modules, RemoteAddress(lock.address)).value_or("");
    lock.initialised = reader_.caller(pid, modules, held.origin);
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

void LockOrderAnalyzer::add_counts(SessionEnd& end) const {
  end.counts[RecordKind::kLockOrder] = counts_;
  uint64_t& lost = end.losses.lock_acquisitions;
  lost += left_out_;
  for (const auto& [key, program] : programs_) lost += program.graph.left_out();
  end.losses.lock_programs += forgotten_programs_;
}

}  // namespace tailback
