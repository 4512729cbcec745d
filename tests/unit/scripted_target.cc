#include "tests/unit/scripted_target.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include "instrument/contract/histogram.h"
#include "instrument/contract/wait_key.h"

namespace tailback {

using contract::Event;
using contract::EventKind;
using contract::ProcessState;
using contract::ThreadState;

namespace {

constexpr uint32_t kGeneration = 1;

class NeverThrottled final : public ThrottledTime {
 public:
  std::optional<Nanoseconds> throttled() override { return std::nullopt; }
};

}  // namespace

const ScriptedProc::Thread* ScriptedProc::find(int tid) const {
  const auto known = by_tid.find(tid);
  return known == by_tid.end() ? nullptr : &known->second;
}

std::optional<ThreadStat> ScriptedProc::thread_stat(int, int tid) {
  const Thread* thread = find(tid);
  if (!thread) return std::nullopt;
  ThreadStat stat;
  stat.state = thread->state;
  return stat;
}

std::optional<ScheduleTimes> ScriptedProc::schedule_times(int, int tid) {
  const Thread* thread = find(tid);
  return thread ? std::optional(thread->times) : std::nullopt;
}

std::optional<uint64_t> ScriptedProc::voluntary_switches(int, int tid) {
  const Thread* thread = find(tid);
  return thread ? std::optional(thread->switches) : std::nullopt;
}

std::optional<KernelCall> ScriptedProc::kernel_call(int, int tid) {
  const Thread* thread = find(tid);
  return thread ? thread->blocked : std::nullopt;
}

std::optional<std::string> ScriptedProc::comm(int, int tid) {
  const Thread* thread = find(tid);
  return thread ? std::optional(thread->name) : std::nullopt;
}

std::optional<uint64_t> ScriptedProc::start_time(int pid) {
  const bool lives = find(pid) != nullptr;
  if (ends_after_start_time) by_tid.clear();
  return lives ? std::optional<uint64_t>(1) : std::nullopt;
}

std::vector<int> ScriptedProc::threads(int) {
  std::vector<int> tids;
  for (const auto& [tid, thread] : by_tid) tids.push_back(tid);
  return tids;
}

std::unique_ptr<ThrottledTime> ScriptedProc::throttled_time(int) {
  return std::make_unique<NeverThrottled>();
}

std::optional<MachineClocks> ScriptedProc::clocks() {
  const Nanoseconds ran = clock->duration(clock->now());
  return MachineClocks{ran + suspended, ran};
}

std::shared_ptr<Sample> ScriptedSampler::take(std::optional<uint32_t> record, int pid, int tid) {
  if (fails) throw std::runtime_error("no sample");
  ++taken;
  auto sample = std::make_shared<Sample>();
  sample->state = proc_.thread_stat(pid, tid).value_or(ThreadStat{}).state;
  const auto call = record ? view_call(segment_.threads[*record].call) : std::nullopt;
  sample->source = call ? Sample::Source::kRecord : Sample::Source::kHold;
  if (call) {
    sample->recorded = *call;
    sample->call.emplace();
  }
  sample->snapshot.emplace();
  if (on_take) std::exchange(on_take, nullptr)();
  return sample;
}

std::shared_ptr<const Sample> ScriptedSampler::take_requested(uint32_t record, int pid, int tid) {
  return take(record, pid, tid);
}

std::optional<Snapshot> ScriptedSampler::take_wait(int, int, const CallView&) {
  Snapshot snapshot;
  snapshot.modules = wait_modules;
  return snapshot;
}

std::optional<LockReading> ScriptedSampler::awaited_lock(int, const CallInProgress& call) {
  const auto owner = owners.find(call.arguments[0]);
  if (owner == owners.end()) return std::nullopt;
  LockReading lock;
  lock.kind = LockKind::kMutex;
  lock.address = RemoteAddress(call.arguments[0]);
  lock.owner = owner->second;
  return lock;
}

std::shared_ptr<const ModuleMap> ScriptedSampler::modules(int, RemoteAddress) {
  if (fails) throw std::runtime_error("no modules");
  return std::make_shared<const ModuleMap>();
}

ScriptedTarget::ScriptedTarget() {
  void* address = mmap(nullptr, sizeof(contract::Segment), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  segment_ = static_cast<contract::Segment*>(address);
  proc_.clock = &clock_;
  proc_.by_tid[kPid].name = "server";
  sampler_ = std::make_unique<ScriptedSampler>(*segment_, proc_);
  contract::ProcessRecord& process = segment_->processes[0];
  process.pid.store(kPid);
  process.generation.store(kGeneration);
  process.attached = clock_.now();
  process.state.store(static_cast<uint32_t>(ProcessState::kLive));
  segment_->header.processes_used.store(1);
}

ScriptedTarget::~ScriptedTarget() {
  munmap(segment_, sizeof(contract::Segment));
}

contract::ThreadRecord& ScriptedTarget::thread(uint32_t index) {
  contract::ThreadRecord& record = segment_->threads[index];
  if (record.generation.load() != 0) return record;
  record.generation.store(kGeneration);
  record.pid.store(kPid);
  record.tid.store(tid_of(index));
  record.state.store(static_cast<uint32_t>(ThreadState::kLive));
  if (!proc_.by_tid.contains(tid_of(index))) proc_.by_tid[tid_of(index)] = {};
  if (segment_->header.threads_used.load() <= index) {
    segment_->header.threads_used.store(index + 1);
  }
  return record;
}

void ScriptedTarget::exit_thread(uint32_t index) {
  segment_->threads[index].state.store(static_cast<uint32_t>(ThreadState::kExited));
  if (index != 0) proc_.by_tid.erase(tid_of(index));
}

void ScriptedTarget::publish(const Event& event) {
  const uint64_t index = ring_head_ % contract::kRingCapacity;
  contract::RingSlot& slot = segment_->ring[index];
  slot.event = event;
  slot.sequence.store(ring_head_ - index + 1);
  segment_->header.ring_head.store(++ring_head_);
}

void ScriptedTarget::publish_slow_call(const ScriptedLoop& loop, intercept::Function function,
                                       uint64_t call_site) {
  const contract::ThreadRecord& record = loop.record();
  Event event{};
  event.kind = static_cast<uint32_t>(EventKind::kSlowCall);
  event.record = static_cast<uint32_t>(&record - segment_->threads);
  event.generation = kGeneration;
  event.function = static_cast<uint32_t>(function);
  event.key = loop.site().key.load();
  event.call_site = call_site;
  event.begin_tick = record.call.entered.load();
  event.end_tick = clock_.now();
  publish(event);
}

ScriptedLoop::ScriptedLoop(ScriptedTarget& target, uint32_t record, unsigned place, int fd,
                           uint64_t stack_pointer)
    : target_(target), index_(record), record_(target.thread(record)), place_(place) {
  contract::WaitSite& wait = site();
  wait.key.store(contract::descriptor_key(fd, 0));
  wait.call_site = 0x1000 + place;
  wait.stack_pointer = stack_pointer;
  wait.function = static_cast<uint32_t>(intercept::Function::epoll_wait);
  wait.first_tick = target.clock_.now();
  record_.sites.fetch_add(1);
  enter_wait();
}

void ScriptedLoop::enter_wait() {
  enter(static_cast<intercept::Function>(site().function), site().call_site, site().stack_pointer);
}

void ScriptedLoop::begin_iteration() {
  leave();
  site().iteration_begin.store(target_.clock_.now());
}

void ScriptedLoop::count_iteration(uint64_t end) {
  const uint64_t length = end - site().iteration_begin.load();
  contract::WaitSite& wait = site();
  wait.iterations.fetch_add(1);
  wait.busy_ticks += length;
  wait.longest_ticks = std::max(wait.longest_ticks, length);
  ++wait.histogram[contract::histogram_bucket(length)];
}

void ScriptedLoop::lose_iteration() {
  count_iteration(target_.clock_.now());
  site().iteration_begin.store(0);
  enter_wait();
}

void ScriptedLoop::end_idle_wait(uint64_t entered) {
  const uint64_t begin = site().iteration_begin.load();
  count_iteration(entered);
  leave();
  site().iteration_begin.store(target_.clock_.now());
  publish_if_long(begin, entered);
}

void ScriptedLoop::end_iteration() {
  const uint64_t begin = site().iteration_begin.load();
  lose_iteration();
  publish_if_long(begin, target_.clock_.now());
}

void ScriptedLoop::publish_if_long(uint64_t begin, uint64_t end) {
  if (end - begin <= target_.segment().header.threshold_ticks.load()) return;
  Event event{};
  event.kind = static_cast<uint32_t>(EventKind::kIteration);
  event.record = index_;
  event.generation = kGeneration;
  event.pid = ScriptedTarget::kPid;
  event.tid = ScriptedTarget::tid_of(index_);
  event.function = site().function;
  event.key = site().key.load();
  event.call_site = site().call_site;
  event.iteration = site().iterations.load();
  event.begin_tick = begin;
  event.end_tick = end;
  target_.publish(event);
}

void ScriptedLoop::iterate(unsigned times, Nanoseconds each) {
  for (unsigned i = 0; i < times; ++i) {
    begin_iteration();
    target_.clock_.advance(each);
    end_iteration();
  }
}

void ScriptedLoop::enter(intercept::Function function, uint64_t call_site, uint64_t stack_pointer,
                         uint64_t argument) {
  contract::Call& call = record_.call;
  call.entered.store(target_.clock_.now());
  call.call_site = call_site;
  call.context.stack_pointer = stack_pointer;
  call.arguments[0] = argument;
  call.function.store(static_cast<uint32_t>(function));
}

void ScriptedLoop::leave() {
  record_.call.function.store(0);
}

ScriptedDetection::ScriptedDetection(ScriptedTarget& detected, ObserverSettings settings)
    : target(detected), detection(detected, settings, verdicts, [this](Observation&& seen) {
        observations.push_back(std::move(seen));
      }) {
  detection.begin();
}

void ScriptedDetection::run(Nanoseconds length) {
  constexpr Nanoseconds kStep = std::chrono::milliseconds(20);
  for (Nanoseconds passed{}; passed < length; passed += kStep) {
    target.clock_.advance(std::min(kStep, length - passed));
    detection.poll();
  }
}

}  // namespace tailback
