#include "runtime/sampling/target_sampler.h"

#include <poll.h>

#include "runtime/capture/memory.h"
#include "runtime/explain/able_to_block.h"
#include "runtime/sampling/sampler.h"

namespace tailback {

namespace {

// For threads without a record of their own.
contract::ThreadRecord& no_record() {
  static contract::ThreadRecord record{};
  return record;
}
const contract::Call& no_call() {
  static const contract::Call call{};
  return call;
}
const contract::ProcessRecord& no_process() {
  static const contract::ProcessRecord process{};
  return process;
}

const contract::ProcessRecord& process_of(const contract::Segment& segment, uint32_t record) {
  const uint32_t process = segment.threads[record].process.load(std::memory_order_relaxed);
  return segment.processes[process % contract::kProcessCapacity];
}

}  // namespace

std::shared_ptr<Sample> TargetSampler::take(std::optional<uint32_t> record, int pid, int tid) {
  if (!record) return take_sample(no_record(), no_call(), no_process(), pid, tid, processes_);
  return take_sample(segment_.threads[*record], segment_.open_ended[*record],
                     process_of(segment_, *record), pid, tid, processes_);
}

std::shared_ptr<const Sample> TargetSampler::take_requested(uint32_t record, int pid, int tid) {
  return tailback::take_requested(segment_.threads[record], segment_.open_ended[record],
                                  process_of(segment_, record), pid, tid, processes_);
}

std::optional<Snapshot> TargetSampler::take_wait(int pid, int tid, const CallView& wait) {
  return take_snapshot(pid, tid, Registers{wait.context, true}, processes_.modules().of(pid));
}

std::vector<InterpreterStack> TargetSampler::interpreted_at_wait(int pid, int tid,
                                                                 const Snapshot& snapshot) {
  Interpreters& interpreters = processes_.interpreters();
  interpreters.prepare(pid, tid, snapshot.modules);
  std::vector<InterpreterStack> stacks;
  for (const auto& copy : interpreters.copy(pid, tid, &snapshot)) stacks.push_back(copy->decode());
  return stacks;
}

std::optional<int> TargetSampler::polled_descriptor(int pid, const CallView& poll) {
  const auto polled = read<pollfd>(pid, RemoteAddress(poll.arguments[0]));
  return polled ? std::optional(polled->fd) : std::nullopt;
}

std::optional<LockReading> TargetSampler::awaited_lock(int pid, const CallInProgress& call) {
  return read_awaited_lock(pid, call);
}

int TargetSampler::lock_owner(int pid, const CallInProgress& call) {
  return describe_call(pid, call).owner_tid;
}

bool TargetSampler::is_able_to_block(int pid, const CallInProgress& call) {
  return tailback::is_able_to_block(pid, call);
}

std::shared_ptr<const ModuleMap> TargetSampler::modules(int pid, RemoteAddress address) {
  return processes_.modules().with(pid, address);
}

void TargetSampler::forget(int pid) {
  processes_.forget(pid);
}

}  // namespace tailback
