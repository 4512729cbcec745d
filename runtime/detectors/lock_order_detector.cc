#include "runtime/detectors/lock_order_detector.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace tailback {

using contract::CaptureState;
using contract::HeldKind;
using contract::LockEvent;
using contract::LockEventKind;
using contract::StackCapture;
using contract::TakenLock;

namespace {

constexpr auto kInterval = std::chrono::milliseconds(5);
constexpr size_t kMostProcesses = 4096;
constexpr size_t kMostStacksInFlight = 2048;  // 32 MiB

bool makes_sense(const TakenLock& lock) {
  return lock.address != 0 && lock.kind >= static_cast<uint32_t>(HeldKind::kMutex) &&
         lock.kind <= static_cast<uint32_t>(HeldKind::kSpin);
}

bool is(const LockEvent& event, LockEventKind kind) {
  return event.kind == static_cast<uint32_t>(kind);
}

}  // namespace

LockOrderDetector::LockOrderDetector(DetectorInput& input, Emit emit)
    : input_(input),
      segment_(input.segment()),
      ring_(input.segment()),
      emit_(std::move(emit)),
      stacks_in_flight_(std::make_shared<std::atomic<size_t>>(0)) {}

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
    // A corrupt target must not end the observer.
    bool is_sound = false;
    try {
      is_sound = take(*event);
    } catch (const std::exception&) {
    }
    if (!is_sound) ++corrupt_;
  }
}

// False if the event makes no sense.
bool LockOrderDetector::take(const LockEvent& event) {
  if (event.process >= contract::kProcessCapacity || event.pid <= 0 || event.tid <= 0 ||
      event.taken.address == 0) {
    return false;
  }
  AcquisitionSeen seen;
  seen.pid = event.pid;
  seen.process = process_of(event).name;
  seen.generation = processes_[event.pid].generation;
  seen.time = input_.clock().wall_time(event.tick);
  seen.modules = modules_of(event);
  seen.snapshot = take_capture(event, seen.modules);
  seen.sees_frees = segment_.processes[event.process].sees_frees.load() != 0;
  seen.released = is(event, LockEventKind::kReleasedByNonOwner);
  const bool is_acquisition = is(event, LockEventKind::kAcquired) && makes_sense(event.taken);
  if (!seen.released && !is_acquisition) return false;
  Acquisition& acquisition = seen.acquisition;
  acquisition.tid = event.tid;
  acquisition.tick = event.tick;
  acquisition.taken = use_of(event, event.taken);
  if (is_acquisition) {
    if (seen.snapshot) acquisition.thread = input_.proc().comm(event.pid, event.tid).value_or("");
    const uint32_t held = std::min(event.held_count, contract::kLockEventHeld);
    for (uint32_t i = 0; i < held; ++i) {
      if (makes_sense(event.held[i])) acquisition.held.push_back(use_of(event, event.held[i]));
    }
  }
  emit_(std::move(seen));
  return true;
}

const LockOrderDetector::Process& LockOrderDetector::process_of(const LockEvent& event) {
  const uint32_t generation = segment_.processes[event.process].generation.load();
  if (processes_.size() >= kMostProcesses && !processes_.contains(event.pid)) {
    const auto oldest = std::min_element(
        processes_.begin(), processes_.end(),
        [](const auto& a, const auto& b) { return a.second.last_event < b.second.last_event; });
    input_.sampler().forget(oldest->first);
    processes_.erase(oldest);
  }
  Process& process = processes_[event.pid];
  if (process.generation != generation) {
    input_.sampler().forget(event.pid);
    process.name.clear();
    process.generation = generation;
  }
  if (process.name.empty()) process.name = input_.proc().comm(event.pid, event.pid).value_or("");
  process.last_event = event.tick;
  return process;
}

// The map that has the addresses of the event, as far as they can be had.
std::shared_ptr<const ModuleMap> LockOrderDetector::modules_of(const LockEvent& event) {
  auto modules = input_.sampler().modules(event.pid, RemoteAddress(event.taken.call_site));
  const uint32_t held = std::min(event.held_count, contract::kLockEventHeld);
  for (uint32_t i = 0; i < held; ++i) {
    if (!modules->find(RemoteAddress(event.held[i].address))) {
      modules = input_.sampler().modules(event.pid, RemoteAddress(event.held[i].address));
    }
  }
  return modules;
}

// Frees the capture whatever comes of it.
std::shared_ptr<const Snapshot> LockOrderDetector::take_capture(
    const LockEvent& event, std::shared_ptr<const ModuleMap> modules) {
  if (event.capture == 0 || event.capture > contract::kStackCaptures) return nullptr;
  StackCapture& capture = segment_.captures[event.capture - 1];
  if (capture.state.load(std::memory_order_acquire) !=
          static_cast<uint32_t>(CaptureState::kFilled) ||
      capture.pid.load() != event.pid) {
    return nullptr;
  }
  const auto free = [&capture] {
    capture.state.store(static_cast<uint32_t>(CaptureState::kFree), std::memory_order_release);
  };
  if (stacks_in_flight_->load() >= kMostStacksInFlight) {
    ++lost_stacks_;
    free();
    return nullptr;
  }
  ++*stacks_in_flight_;
  std::shared_ptr<Snapshot> snapshot(new Snapshot, [count = stacks_in_flight_](Snapshot* one) {
    delete one;
    --*count;
  });
  snapshot->pid = event.pid;
  snapshot->tid = event.tid;
  snapshot->registers.context = capture.context;
  snapshot->stack_begin = RemoteAddress(capture.stack_begin);
  snapshot->stack.resize(std::min(capture.size, contract::kStackCaptureBytes));
  std::memcpy(snapshot->stack.data(), capture.stack, snapshot->stack.size());
  snapshot->modules = std::move(modules);
  free();
  return snapshot;
}

LockUse LockOrderDetector::use_of(const LockEvent& event, const TakenLock& lock) const {
  LockUse use{{lock.address, lock.generation}, static_cast<HeldKind>(lock.kind), lock.call_site};
  const uint64_t key = contract::lock_key(event.process, lock.address);
  const contract::LockOrigin& origin =
      segment_.lock_origins[contract::lock_key_hash(key) % contract::kLockOrigins];
  if (origin.key.load(std::memory_order_acquire) != key) return use;
  const uint32_t until = origin.until.load();
  const bool is_its =
      origin.since.load() <= lock.generation && (until == 0 || lock.generation <= until);
  if (is_its) use.origin = origin.call_site.load();
  return use;
}

void LockOrderDetector::add_losses(SessionEnd& end) const {
  const contract::Header& header = segment_.header;
  end.losses.corrupt += corrupt_;
  end.losses.lock_acquisitions +=
      header.lock_ring_dropped.load() + header.held_missed.load() + ring_.stepped_over();
  end.losses.lock_stacks +=
      header.captures_missed.load() + header.captures_forbidden.load() + lost_stacks_;
}

}  // namespace tailback
