#include "runtime/watch/sampler.h"

#include "runtime/kernel/kernel_view.h"
#include "runtime/watch/hold.h"

namespace tailback {

namespace {

using std::chrono::milliseconds;

// Modules seldom change; an address that lies in none of them says that they did.
constexpr milliseconds kModulesAge{1000};

std::optional<Snapshot> snapshot_of(int pid, int tid, const Registers& registers,
                                    ProcessTable& processes) {
  auto modules = processes.modules(pid, kModulesAge);
  if (!modules->find(RemoteAddress(registers.context.instruction_pointer))) {
    modules = processes.modules(pid, milliseconds(0));
  }
  return take_snapshot(pid, tid, registers, std::move(modules));
}

CallInProgress in_progress(const CallView& view) {
  CallInProgress call;
  call.function = view.function;
  call.arguments = view.arguments;
  return call;
}

// Returns false if the thread left the call before all was read.
bool read_recorded_call(const contract::ThreadRecord& record, const CallView& view, int pid,
                        int tid, ProcessTable& processes, Sample& sample) {
  sample.source = Sample::Source::kRecord;
  sample.recorded = view;
  sample.call = describe_call(pid, in_progress(view));
  sample.snapshot = snapshot_of(pid, tid, Registers{view.context, true}, processes);
  if (sample.call->owner_tid > 0) {
    sample.owner_name = read_comm(pid, sample.call->owner_tid).value_or("");
  }
  const auto again = view_call(record);
  return again && again->same_call(view);
}

bool read_kernel_call(int pid, int tid, ProcessTable& processes, Sample& sample) {
  const auto blocked = tailback::read_kernel_call(pid, tid);
  if (!blocked) return false;
  sample.source = Sample::Source::kKernel;
  CallInProgress call;
  call.system_call = blocked->number;
  call.arguments = blocked->arguments;
  sample.call = describe_call(pid, call);
  Registers registers;
  registers.context.instruction_pointer = blocked->instruction_pointer;
  registers.context.stack_pointer = blocked->stack_pointer;
  registers.complete = false;
  sample.snapshot = snapshot_of(pid, tid, registers, processes);
  const auto again = tailback::read_kernel_call(pid, tid);
  return again && again->number == blocked->number &&
         again->stack_pointer == blocked->stack_pointer;
}

void read_running(contract::ThreadRecord& record, const contract::ProcessRecord& process, int pid,
                  int tid, ProcessTable& processes, Sample& sample) {
  // Read the modules before the thread is made to stand still.
  processes.modules(pid, kModulesAge);
  auto hold = Hold::take(record, process, pid, tid);
  if (!hold) return;
  const Registers registers{hold->context(), true};
  auto snapshot = take_snapshot(pid, tid, registers, processes.modules(pid, std::chrono::hours(1)));
  if (!hold->release() || !snapshot) return;
  sample.source = Sample::Source::kHold;
  // Code that was loaded since the modules were read.
  if (!snapshot->modules->find(RemoteAddress(registers.context.instruction_pointer))) {
    snapshot->modules = processes.modules(pid, milliseconds(0));
  }
  sample.snapshot = std::move(snapshot);
}

}  // namespace

std::shared_ptr<const Sample> take_sample(contract::ThreadRecord& record,
                                          const contract::ProcessRecord& process, int pid, int tid,
                                          ProcessTable& processes) {
  constexpr int kTries = 2;
  auto sample = std::make_shared<Sample>();
  for (int i = 0; i < kTries; ++i) {
    *sample = Sample{};
    const auto stat = read_thread_stat(pid, tid);
    if (!stat) return sample;
    sample->state = stat->state;
    if (const auto call = view_call(record)) {
      if (read_recorded_call(record, *call, pid, tid, processes, *sample)) return sample;
    } else if (stat->state == 'R') {
      read_running(record, process, pid, tid, processes, *sample);
      if (sample->snapshot) return sample;
    } else if (stat->state == 'S' || stat->state == 'D') {
      if (read_kernel_call(pid, tid, processes, *sample)) return sample;
    } else {
      return sample;  // stopped, traced, dying
    }
  }
  return sample;
}

}  // namespace tailback
