// The processes of a session: which live, and what they are called. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/kernel/proc_source.h"
#include "runtime/sampling/thread_sampler.h"

namespace tailback {

struct ProcessFacts {
  int pid = 0;
  uint32_t generation = 0;  // of its record
  uint64_t attached = 0;    // tick
  uint64_t start_time = 0;  // clock ticks since boot: with the pid, its identity
  std::optional<ExecutableFile> executable;
  unsigned samples_as_other = 0;  // how often it was seen executing another file
  std::string name;
};

class ProcessList {
 public:
  ProcessList(contract::Segment& segment, ProcSource& proc, ThreadSampler& sampler)
      : segment_(segment), proc_(proc), sampler_(sampler) {}

  // Looks for processes that have attached and, if `check_lives`, for those that have ended or have
  // executed another program (their pid has attached anew). Returns the record indexes of the
  // latter; the caller retires their threads, then calls free().
  std::vector<uint32_t> update(bool check_lives);

  // Whether the process has ended. Asks the kernel.
  bool has_ended(uint32_t index) const;
  void free(uint32_t index);

  // nullptr if the index names no process that was seen by update().
  const ProcessFacts* find(uint32_t index) const;
  size_t count() const { return processes_.size(); }
  uint64_t seen() const { return seen_; }
  // How often one of them has executed another program that the recorder was loaded into.
  uint64_t executions() const { return executions_; }
  // Processes that executed a program which the recorder was not loaded into.
  uint64_t lost_programs() const { return lost_programs_; }

 private:
  // Whether one of the processes that were seen has executed another program, of these facts.
  bool is_known(const ProcessFacts& facts) const;
  bool executes_other(ProcessFacts& facts) const;

  contract::Segment& segment_;
  ProcSource& proc_;
  ThreadSampler& sampler_;
  std::map<uint32_t, ProcessFacts> processes_;
  uint64_t seen_ = 0;
  uint64_t executions_ = 0;
  uint64_t lost_programs_ = 0;
};

}  // namespace tailback
