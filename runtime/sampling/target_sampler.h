// Reads the threads of targets that run, from outside.
#pragma once

#include "instrument/contract/record_contract.h"
#include "runtime/sampling/process_table.h"
#include "runtime/sampling/thread_sampler.h"

namespace tailback {

class TargetSampler final : public ThreadSampler {
 public:
  // `segment` is the one that the targets write to.
  explicit TargetSampler(contract::Segment& segment) : segment_(segment) {}

  std::shared_ptr<Sample> take(std::optional<uint32_t> record, int pid, int tid) override;
  std::shared_ptr<const Sample> take_requested(uint32_t record, int pid, int tid) override;
  std::optional<Snapshot> take_wait(int pid, int tid, const CallView& wait) override;
  std::vector<InterpreterStack> interpreted_at_wait(int pid, int tid,
                                                    const Snapshot& snapshot) override;
  std::optional<int> polled_descriptor(int pid, const CallView& poll) override;

  std::optional<LockReading> awaited_lock(int pid, const CallInProgress& call) override;
  int lock_owner(int pid, const CallInProgress& call) override;
  bool is_able_to_block(int pid, const CallInProgress& call) override;

  std::shared_ptr<const ModuleMap> modules(int pid, RemoteAddress address) override;
  void forget(int pid) override;

 private:
  contract::Segment& segment_;
  ProcessTable processes_;
};

}  // namespace tailback
