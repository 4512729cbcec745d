// A thread of a target that is watched, and state that a detector has for each of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/loops/loop_choice.h"

namespace tailback {

struct WatchedThread {
  uint32_t index = 0;  // of its record
  uint32_t generation = 0;
  uint32_t process = 0;  // index of its process's record
  int pid = 0;
  int tid = 0;
  contract::ThreadRecord* record = nullptr;
  std::string name = "?";                       // read again now and then
  LoopChoice named = LoopChoice::kByBehaviour;  // what the options say of this name
  unsigned name_reads = 0;
  bool is_condition_loop = false;  // see ConditionLoop

  LoopChoice choice() const {
    const LoopChoice choice = loop_choice(named, record->mark.load(std::memory_order_relaxed));
    return choice == LoopChoice::kByBehaviour && is_condition_loop ? LoopChoice::kNamed : choice;
  }
};

// State of threads, in order of their records. A record that has another owner by now begins anew.
template <typename State>
class PerThread {
 public:
  State& of(const WatchedThread& thread) {
    if (thread.index >= slots_.size()) slots_.resize(thread.index + 1);
    std::unique_ptr<Slot>& slot = slots_[thread.index];
    if (!slot || slot->generation != thread.generation) {
      slot = std::make_unique<Slot>();
      slot->generation = thread.generation;
    }
    return slot->state;
  }

  // nullptr if nothing is known of that thread.
  State* find(uint32_t index, uint32_t generation) {
    if (index >= slots_.size() || !slots_[index]) return nullptr;
    return slots_[index]->generation == generation ? &slots_[index]->state : nullptr;
  }
  State* find(const WatchedThread& thread) { return find(thread.index, thread.generation); }
  const State* find(const WatchedThread& thread) const {
    return const_cast<PerThread*>(this)->find(thread);
  }

  void erase(const WatchedThread& thread) {
    if (find(thread)) slots_[thread.index].reset();
  }

 private:
  struct Slot {
    uint32_t generation = 0;
    State state;
  };
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace tailback
