#include "runtime/sampling/process_table.h"

#include <algorithm>

namespace tailback {

using contract::ProcessRecord;
using contract::ProcessState;

std::vector<uint32_t> ProcessTable::update(bool check_lives) {
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
      facts.start_time = read_start_time(facts.pid).value_or(0);
      facts.executable = read_executable(facts.pid);
      facts.name = read_comm(facts.pid, facts.pid).value_or("?");
      modules_.erase(facts.pid);
      python_.forget(facts.pid);
      v8_.forget(facts.pid);
      processes_[index] = std::move(facts);
      ++seen_;
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
    } else if (auto name = read_comm(facts.pid, facts.pid)) {
      facts.name = std::move(*name);  // programs rename themselves
    }
  }
  return ended;
}

// A program that was executed with the recorder attaches anew within milliseconds; one that was
// executed without it (static, setuid, its environment cleared) never says anything.
bool ProcessTable::executes_other(ProcessFacts& facts) const {
  constexpr unsigned kPatience = 50;
  const auto executable = read_executable(facts.pid);
  const bool is_other = executable && facts.executable && *executable != *facts.executable;
  facts.samples_as_other = is_other ? facts.samples_as_other + 1 : 0;
  return facts.samples_as_other >= kPatience;
}

bool ProcessTable::has_ended(uint32_t index) const {
  const ProcessFacts* facts = find(index);
  if (!facts || !process_lifetimes(facts->pid)) return true;
  const auto start_time = read_start_time(facts->pid);
  return !start_time || *start_time != facts->start_time;
}

void ProcessTable::free(uint32_t index) {
  const auto known = processes_.find(index);
  if (known == processes_.end()) return;
  forget(known->second.pid);
  processes_.erase(known);
  segment_.processes[index].state.store(static_cast<uint32_t>(ProcessState::kFree),
                                        std::memory_order_release);
}

void ProcessTable::forget(int pid) {
  modules_.erase(pid);
  python_.forget(pid);
  v8_.forget(pid);
}

const ProcessFacts* ProcessTable::find(uint32_t index) const {
  const auto known = processes_.find(index);
  return known == processes_.end() ? nullptr : &known->second;
}

std::shared_ptr<const ModuleMap> ProcessTable::modules(int pid, std::chrono::milliseconds max_age) {
  const auto now = std::chrono::steady_clock::now();
  CachedModules& cached = modules_[pid];
  if (!cached.map || now - cached.read > max_age) {
    if (auto map = ModuleMap::read(pid)) {
      cached = {std::make_shared<const ModuleMap>(std::move(*map)), now};
    } else if (!cached.map) {
      cached = {std::make_shared<const ModuleMap>(), now};
    }
  }
  return cached.map;
}

}  // namespace tailback
