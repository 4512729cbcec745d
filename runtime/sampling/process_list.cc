#include "runtime/sampling/process_list.h"

#include <algorithm>

namespace tailback {

using contract::ProcessRecord;
using contract::ProcessState;

std::vector<uint32_t> ProcessList::update(bool check_lives) {
  const uint32_t used = std::min(segment_.header.processes_used.load(std::memory_order_acquire),
                                 contract::kProcessCapacity);
  std::map<int, uint64_t> newest;
  for (uint32_t index = 0; index < used; ++index) {
    const ProcessRecord& record = segment_.processes[index];
    if (record.state.load(std::memory_order_acquire) !=
        static_cast<uint32_t>(ProcessState::kLive)) {
      continue;
    }
    const uint32_t generation = record.generation.load(std::memory_order_relaxed);
    const auto known = processes_.find(index);
    if (known == processes_.end() || known->second.generation != generation) {
      ProcessFacts facts;
      facts.pid = record.pid.load(std::memory_order_relaxed);
      facts.generation = generation;
      facts.attached = record.attached;
      facts.start_time = proc_.start_time(facts.pid).value_or(0);
      facts.executable = proc_.executable(facts.pid);
      facts.name = proc_.comm(facts.pid, facts.pid).value_or("?");
      sampler_.forget(facts.pid);
      ++(is_known(facts) ? executions_ : seen_);
      processes_[index] = std::move(facts);
    }
    uint64_t& attached = newest[processes_[index].pid];
    attached = std::max(attached, processes_[index].attached);
  }
  std::vector<uint32_t> ended;
  if (!check_lives) return ended;
  for (auto& [index, facts] : processes_) {
    if (facts.attached < newest[facts.pid] || has_ended(index)) {
      ended.push_back(index);
    } else if (executes_other(facts)) {
      ++lost_programs_;
      ended.push_back(index);
    } else if (auto name = proc_.comm(facts.pid, facts.pid)) {
      facts.name = std::move(*name);  // programs rename themselves
    }
  }
  return ended;
}

// A process that has ended since has no start time. Its number is not given again so soon.
bool ProcessList::is_known(const ProcessFacts& facts) const {
  return std::any_of(processes_.begin(), processes_.end(), [&](const auto& known) {
    const ProcessFacts& other = known.second;
    return other.pid == facts.pid && other.attached != facts.attached &&
           (other.start_time == facts.start_time || other.start_time == 0 || facts.start_time == 0);
  });
}

// A program that was executed with the recorder attaches anew within milliseconds; one that was
// executed without it (static, setuid, its environment cleared) never says anything.
bool ProcessList::executes_other(ProcessFacts& facts) const {
  constexpr unsigned kPatience = 50;
  const auto executable = proc_.executable(facts.pid);
  const bool is_other = executable && facts.executable && *executable != *facts.executable;
  facts.samples_as_other = is_other ? facts.samples_as_other + 1 : 0;
  return facts.samples_as_other >= kPatience;
}

bool ProcessList::has_ended(uint32_t index) const {
  const ProcessFacts* facts = find(index);
  if (!facts || !proc_.process_lives(facts->pid)) return true;
  const auto start_time = proc_.start_time(facts->pid);
  return !start_time || *start_time != facts->start_time;
}

void ProcessList::free(uint32_t index) {
  const auto known = processes_.find(index);
  if (known == processes_.end()) return;
  sampler_.forget(known->second.pid);
  processes_.erase(known);
  segment_.processes[index].state.store(static_cast<uint32_t>(ProcessState::kFree),
                                        std::memory_order_release);
}

const ProcessFacts* ProcessList::find(uint32_t index) const {
  const auto known = processes_.find(index);
  return known == processes_.end() ? nullptr : &known->second;
}

}  // namespace tailback
