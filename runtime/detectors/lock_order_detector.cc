#include "runtime/detectors/lock_order_detector.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tailback {

using contract::CaptureState;
using contract::HeldKind;
using contract::LockEvent;
using contract::LockEventKind;
using contract::StackCapture;
using std::chrono::milliseconds;

namespace {

constexpr auto kInterval = milliseconds(5);
constexpr auto kMapsAge = milliseconds(200);
constexpr size_t kMostTargets = 256;
constexpr size_t kMostTold = 10000;  // of one process

bool makes_sense(const contract::TakenLock& lock) {
  return lock.address != 0 && lock.kind >= static_cast<uint32_t>(HeldKind::kMutex) &&
         lock.kind <= static_cast<uint32_t>(HeldKind::kSpin);
}

LockUse use_of(const contract::TakenLock& lock) {
  return {{lock.address, lock.generation}, static_cast<HeldKind>(lock.kind), lock.call_site};
}

}  // namespace

LockOrderDetector::LockOrderDetector(DetectorInput& input, const CulpritRule& rule, Emit emit,
                                     std::unique_ptr<StackSource> stacks)
    : input_(input),
      segment_(input.segment()),
      ring_(input.segment()),
      clock_(input.clock()),
      proc_(input.proc()),
      sampler_(input.sampler()),
      reader_(rule, std::move(stacks)),
      emit_(std::move(emit)) {}

LockOrderDetector::~LockOrderDetector() {
  if (thread_.joinable()) stop();
}

void LockOrderDetector::start() {
  thread_ = std::thread([this] { run(); });
}

void LockOrderDetector::stop() {
  stopping_.store(true);
  thread_.join();
}

void LockOrderDetector::run() {
  while (!stopping_.load()) {
    poll();
    std::this_thread::sleep_for(kInterval);
  }
  poll();
}

void LockOrderDetector::poll() {
  input_.begin_poll();
  while (const auto event = ring_.next()) {
    // Nothing that a target does may end the observer.
    try {
      take(*event);
    } catch (const std::exception&) {
      ++counts_.acquisitions;
    }
  }
}

void LockOrderDetector::take(const LockEvent& event) {
  if (event.process >= contract::kProcessCapacity || event.pid <= 0 || event.tid <= 0 ||
      event.taken.address == 0) {
    ++counts_.acquisitions;
    return;
  }
  Target& target = target_of(event);
  if (event.kind == static_cast<uint32_t>(LockEventKind::kReleasedByNonOwner)) {
    target.graph.exclude(event.taken.address);
    return;
  }
  auto acquisition = std::make_shared<Acquisition>();
  acquisition->stack = read_stack(event, target);
  if (event.kind != static_cast<uint32_t>(LockEventKind::kAcquired) || !makes_sense(event.taken)) {
    ++counts_.acquisitions;
    return;
  }
  acquisition->tid = event.tid;
  if (acquisition->stack) acquisition->thread = proc_.comm(event.pid, event.tid).value_or("");
  acquisition->tick = event.tick;
  acquisition->taken = use_of(event.taken);
  const uint32_t held = std::min(event.held_count, contract::kLockEventHeld);
  for (uint32_t i = 0; i < held; ++i) {
    if (makes_sense(event.held[i])) acquisition->held.push_back(use_of(event.held[i]));
  }
  for (const Cycle& cycle : target.graph.add(acquisition)) consider(event, target, cycle);
}

LockOrderDetector::Target& LockOrderDetector::target_of(const LockEvent& event) {
  const TargetKey key(event.pid, segment_.processes[event.process].generation.load());
  if (targets_.size() >= kMostTargets && !targets_.contains(key)) forget_ended();
  Target& target = targets_[key];
  if (target.name.empty()) target.name = proc_.comm(event.pid, event.pid).value_or("");
  target.last_event = event.tick;
  return target;
}

void LockOrderDetector::forget_ended() {
  const auto forget = [&](auto it) {
    left_out_before_ += it->second.graph.left_out();
    return targets_.erase(it);
  };
  for (auto it = targets_.begin(); it != targets_.end();) {
    const bool has_ended = !proc_.process_lives(it->first.first);
    it = has_ended ? forget(it) : std::next(it);
  }
  if (targets_.size() < kMostTargets) return;
  forget(std::min_element(targets_.begin(), targets_.end(), [](const auto& a, const auto& b) {
    return a.second.last_event < b.second.last_event;
  }));
  ++counts_.acquisitions;
}

const ModuleMap& LockOrderDetector::modules_of(Target& target, int pid, uint64_t address) {
  if (!target.modules) sampler_.forget(pid);  // what another program had mapped there
  const bool knows = target.modules && target.modules->find(RemoteAddress(address)) != nullptr;
  if (!knows) target.modules = sampler_.modules(pid, kMapsAge);
  return *target.modules;
}

// Frees the capture whatever comes of it.
std::shared_ptr<const RawStack> LockOrderDetector::read_stack(const LockEvent& event,
                                                              Target& target) {
  modules_of(target, event.pid, event.taken.call_site);
  if (event.capture == 0 || event.capture > contract::kStackCaptures) return nullptr;
  StackCapture& capture = segment_.captures[event.capture - 1];
  if (capture.state.load(std::memory_order_acquire) !=
          static_cast<uint32_t>(CaptureState::kFilled) ||
      capture.pid.load() != event.pid) {
    return nullptr;
  }
  Snapshot snapshot;
  snapshot.pid = event.pid;
  snapshot.tid = event.tid;
  snapshot.registers.context = capture.context;
  snapshot.stack_begin = RemoteAddress(capture.stack_begin);
  snapshot.stack.resize(std::min(capture.size, contract::kStackCaptureBytes));
  std::memcpy(snapshot.stack.data(), capture.stack, snapshot.stack.size());
  snapshot.modules = target.modules;
  capture.state.store(static_cast<uint32_t>(CaptureState::kFree), std::memory_order_release);
  return std::make_shared<const RawStack>(reader_.stacks().unwind(snapshot));
}

uint64_t LockOrderDetector::origin_of(const LockEvent& event, const LockId& lock) const {
  const uint64_t key = contract::lock_key(event.process, lock.address);
  const contract::LockOrigin& origin =
      segment_.lock_origins[contract::lock_key_hash(key) % contract::kLockOrigins];
  if (origin.key.load(std::memory_order_acquire) != key) return 0;
  const uint32_t until = origin.until.load();
  const bool is_its =
      origin.since.load() <= lock.generation && (until == 0 || lock.generation <= until);
  return is_its ? origin.call_site.load() : 0;
}

// Whether all that was seen at this address was one lock.
bool LockOrderDetector::is_sure(const LockEvent& event, Target& target, const LockUse& use) {
  if (origin_of(event, use.lock) != 0) return true;
  const ModuleMap& modules = modules_of(target, event.pid, use.lock.address);
  switch (place_of_lock(modules, use.lock.address)) {
    case LockPlace::kModule:
      return true;
    case LockPlace::kStack:
      return false;
    case LockPlace::kHeap:
      break;
  }
  return segment_.processes[event.process].sees_frees.load() != 0 ||
         reader_.is_variable(event.pid, modules, use.lock.address);
}

void LockOrderDetector::consider(const LockEvent& event, Target& target, const Cycle& cycle) {
  std::vector<uint64_t> origins;
  std::vector<uint64_t> key;
  for (const CycleStep& step : cycle) {
    if (!is_sure(event, target, step.held)) {
      ++counts_.unsure;
      return;
    }
    origins.push_back(origin_of(event, step.held.lock));
    key.push_back(origins.back() != 0 ? origins.back() : step.held.lock.address);
  }
  std::sort(key.begin(), key.end());
  if (target.told.size() >= kMostTold && !target.told.contains(key)) {
    ++counts_.repeated;
    return;
  }
  if (target.told[key]++ > 0) {
    ++counts_.repeated;
    return;
  }
  for (const CycleStep& step : cycle) modules_of(target, event.pid, step.held.call_site);
  LockOrder order = reader_.read(event.pid, *target.modules, cycle, origins);
  order.time = clock_.wall_time(event.tick);
  order.process = target.name;
  ++counts_.cycles;
  emit_(LockOrderSeen{std::move(order)});
}

LockOrderCounts LockOrderDetector::summary() const {
  LockOrderCounts counts = counts_;
  const contract::Header& header = segment_.header;
  counts.acquisitions += header.lock_ring_dropped.load() + header.held_missed.load() +
                         ring_.stepped_over() + left_out_before_;
  for (const auto& [key, target] : targets_) counts.acquisitions += target.graph.left_out();
  counts.stacks = header.captures_missed.load() + header.captures_forbidden.load();
  return counts;
}

}  // namespace tailback
