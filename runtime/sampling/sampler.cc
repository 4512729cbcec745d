#include "runtime/sampling/sampler.h"

#include <thread>
#include <utility>

#include "runtime/kernel/kernel_view.h"
#include "runtime/sampling/call_presence.h"
#include "runtime/sampling/pause.h"

namespace tailback {

namespace {

std::optional<Snapshot> snapshot_of(int pid, int tid, const Registers& registers,
                                    ProcessTable& processes) {
  const RemoteAddress here(registers.context.instruction_pointer);
  return take_snapshot(pid, tid, registers, processes.modules().with_code(pid, here));
}

// One look. Each function returns false if the thread went on before all was read.
class Look {
 public:
  Look(contract::ThreadRecord& record, const contract::Call& open_ended,
       const contract::ProcessRecord& process, int pid, int tid, ProcessTable& processes,
       Sample& sample)
      : record_(record),
        open_ended_(open_ended),
        process_(process),
        pid_(pid),
        tid_(tid),
        processes_(processes),
        sample_(sample) {}

  bool at_blocked();
  bool at_running();
  bool at_stopped();
  bool at_requested();
  // Makes frames of what was read, once the thread goes on.
  void decode_interpreted() {
    for (const auto& copy : copies_) sample_.interpreted.push_back(copy->decode());
  }

 private:
  bool take_recorded(const CallView& call);
  bool take_kernel_call(const KernelCall& blocked);
  bool take_held(const std::optional<CallView>& call);
  void describe(const CallView& call);
  void recognise_interpreter_lock(const CallView& call);
  void recognise_owner();
  void copy_interpreted() {
    Interpreters& interpreters = processes_.interpreters();
    interpreters.prepare(pid_, tid_, processes_.modules().of(pid_));
    copies_ = interpreters.copy(pid_, tid_, sample_.snapshot ? &*sample_.snapshot : nullptr);
  }
  bool is_still_in(const CallView& call) const;
  bool computes_in(const CallView& call) const;
  bool is_in_call(const CallView& call, const ThreadPosition& position) {
    return tailback::is_in_call(pid_, call, is_open_ended(call.function), position,
                                *processes_.modules().of(pid_));
  }

  // The call that the recorder shows; else the last of those whose end it does not see.
  std::optional<CallView> shown_call() const {
    const auto call = view_call(record_.call);
    if (call || open_ended_.generation != record_.generation.load()) return call;
    return view_call(open_ended_);
  }

  contract::ThreadRecord& record_;
  const contract::Call& open_ended_;
  const contract::ProcessRecord& process_;
  int pid_;
  int tid_;
  ProcessTable& processes_;
  Sample& sample_;
  std::vector<std::unique_ptr<StackCopy>> copies_;
};

bool Look::at_blocked() {
  const auto call = shown_call();
  const auto blocked = read_kernel_call(pid_, tid_);
  if (!blocked) {
    // It runs by now, and most calls say themselves when they are over.
    return call && !is_open_ended(call->function) && take_recorded(*call);
  }
  if (!call || !is_in_call(*call, {blocked->stack_pointer, blocked->number})) {
    return take_kernel_call(*blocked);
  }
  if (!take_recorded(*call)) return false;
  if (!is_open_ended(call->function)) return true;
  const auto again = read_kernel_call(pid_, tid_);
  return again && again->number == blocked->number &&
         again->stack_pointer == blocked->stack_pointer;
}

bool Look::at_running() {
  const auto call = shown_call();
  if (!call || is_open_ended(call->function)) return take_held(call);
  // One that comes from a wait or goes into one runs for a moment only, and is left alone.
  if (computes_in(*call) && take_held(call)) return true;
  return take_recorded(*call);
}

bool Look::at_stopped() {
  const auto call = shown_call();
  return !call || is_open_ended(call->function) || take_recorded(*call);
}

bool Look::at_requested() {
  const auto call = view_call(record_.call);
  return call && take_recorded(*call);
}

bool Look::is_still_in(const CallView& call) const {
  const auto again = shown_call();
  return again && again->same_call(call);
}

bool Look::computes_in(const CallView& call) const {
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  const auto stat = read_thread_stat(pid_, tid_);
  return stat && stat->state == 'R' && is_still_in(call);
}

void Look::describe(const CallView& call) {
  CallInProgress in_progress;
  in_progress.function = call.function;
  in_progress.arguments = call.arguments;
  sample_.call = describe_call(pid_, in_progress);
  if (sample_.call->owner_tid > 0) {
    const int owner = sample_.call->owner_tid;
    auto name = read_comm(pid_, owner);
    if (!name) name = read_comm(owner, owner);  // of another process
    sample_.owner_name = name.value_or("");
  }
}

// After copy_interpreted().
void Look::recognise_interpreter_lock(const CallView& call) {
  if (sample_.call->cause != Cause::kWait) return;
  const RemoteAddress condition(call.arguments[0]);
  auto wait = processes_.interpreters().interpreter_lock(pid_, tid_, condition);
  if (!wait) return;
  sample_.call->cause = Cause::kGil;
  sample_.call->lock = condition;
  sample_.call->owner_tid = wait->holder;
  if (wait->holder > 0) sample_.owner_name = read_comm(pid_, wait->holder).value_or("");
  sample_.owner_stack = std::move(wait->stack);
}

// After copy_interpreted(). Locks of a language may be semaphores, which know no owner; some of the
// objects that they belong to do.
void Look::recognise_owner() {
  if (sample_.call->cause != Cause::kLock || !sample_.snapshot) return;
  int& owner = sample_.call->owner_tid;
  if (owner == 0 && !copies_.empty()) {
    owner = processes_.interpreters()
                .lock_owner(pid_, sample_.call->lock, *sample_.snapshot)
                .value_or(0);
    if (owner > 0) sample_.owner_name = read_comm(pid_, owner).value_or("");
  }
  if (owner > 0 && owner != tid_) {
    sample_.owner_stack = processes_.interpreters().stack_of(pid_, owner);
  }
}

bool Look::take_recorded(const CallView& call) {
  sample_.source = Sample::Source::kRecord;
  sample_.recorded = call;
  describe(call);
  Registers registers{call.context, true};
  registers.after_call = is_open_ended(call.function);
  sample_.snapshot = snapshot_of(pid_, tid_, registers, processes_);
  copy_interpreted();
  recognise_interpreter_lock(call);
  recognise_owner();
  return is_still_in(call);
}

bool Look::take_kernel_call(const KernelCall& blocked) {
  sample_.source = Sample::Source::kKernel;
  sample_.in_fault = blocked.number < 0;
  if (!sample_.in_fault) {
    CallInProgress call;
    call.system_call = blocked.number;
    call.arguments = blocked.arguments;
    sample_.call = describe_call(pid_, call);
  }
  Registers registers;
  registers.context.instruction_pointer = blocked.instruction_pointer;
  registers.context.stack_pointer = blocked.stack_pointer;
  registers.complete = false;
  registers.after_call = blocked.number >= 0;  // it returns behind the instruction
  sample_.snapshot = snapshot_of(pid_, tid_, registers, processes_);
  copy_interpreted();
  const auto again = read_kernel_call(pid_, tid_);
  return again && again->number == blocked.number && again->stack_pointer == blocked.stack_pointer;
}

bool Look::take_held(const std::optional<CallView>& call) {
  // All that takes time is read before the thread is made to stand still.
  const auto modules = processes_.modules().of(pid_);
  processes_.interpreters().prepare(pid_, tid_, modules);
  if (call) describe(*call);
  auto hold = Hold::take(record_, process_, pid_, tid_);
  if (!hold) {
    sample_.call.reset();
    return false;
  }
  const Registers registers{hold->context(), true};
  const bool in_call =
      call && is_still_in(*call) && is_in_call(*call, {registers.context.stack_pointer, -1});
  auto snapshot = take_snapshot(pid_, tid_, registers, modules);
  copies_ = processes_.interpreters().copy(pid_, tid_, snapshot ? &*snapshot : nullptr);
  if (!in_call) sample_.call.reset();
  if (!hold->release() || !snapshot) {
    sample_.call.reset();
    copies_.clear();
    return false;
  }
  sample_.held = true;
  sample_.source = in_call ? Sample::Source::kRecord : Sample::Source::kHold;
  if (in_call) sample_.recorded = *call;
  // Code that was loaded since the modules were read.
  const RemoteAddress here(registers.context.instruction_pointer);
  snapshot->modules = processes_.modules().with_code(pid_, here);
  sample_.snapshot = std::move(snapshot);
  return true;
}

}  // namespace

std::shared_ptr<Sample> take_sample(contract::ThreadRecord& record,
                                    const contract::Call& open_ended,
                                    const contract::ProcessRecord& process, int pid, int tid,
                                    ProcessTable& processes) {
  constexpr int kTries = 2;
  auto sample = std::make_shared<Sample>();
  for (int i = 0; i < kTries; ++i) {
    *sample = Sample{};
    const auto stat = read_thread_stat(pid, tid);
    if (!stat) return sample;
    sample->state = stat->state;
    Look look(record, open_ended, process, pid, tid, processes, *sample);
    bool taken = false;
    if (stat->state == 'R') {
      taken = look.at_running();
    } else if (stat->state == 'S' || stat->state == 'D') {
      taken = look.at_blocked();
    } else {
      taken = look.at_stopped();  // stopped, traced, dying
    }
    if (taken) look.decode_interpreted();
    if (taken) return sample;
  }
  return sample;
}

std::shared_ptr<const Sample> take_requested(contract::ThreadRecord& record,
                                             const contract::Call& open_ended,
                                             const contract::ProcessRecord& process, int pid,
                                             int tid, ProcessTable& processes) {
  auto sample = std::make_shared<Sample>();
  Look look(record, open_ended, process, pid, tid, processes, *sample);
  if (!look.at_requested()) return nullptr;
  look.decode_interpreted();
  return sample;
}

}  // namespace tailback
