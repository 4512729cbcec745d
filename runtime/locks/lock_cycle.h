// From a cycle of addresses to one that a person can read.
#pragma once

#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/explain/culprit.h"
#include "runtime/locks/lock_graph.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/values/lock_order.h"

namespace tailback {

// What a lock lies in decides whether two looks at one address saw one lock.
enum class LockPlace {
  kModule,  // a variable of the program: there for as long as its module
  kHeap,    // allocated: there until it is freed
  kStack,   // of a thread: there until its function returns, which nobody sees
};
LockPlace place_of_lock(const ModuleMap& modules, uint64_t address);

class CycleReader {
 public:
  explicit CycleReader(CulpritRule rule, std::unique_ptr<StackSource> stacks = make_stack_source())
      : reader_(std::move(rule), std::move(stacks)) {}

  // `origins`: where each lock was initialised, 0 if unknown, in the order of the steps' held
  // locks. Time and process are the caller's to fill in.
  LockOrder read(int pid, const ModuleMap& modules, const Cycle& cycle,
                 const std::vector<uint64_t>& origins);

  StackSource& stacks() { return reader_.source(); }

  // Whether a variable covers the address.
  bool is_variable(int pid, const ModuleMap& modules, uint64_t address);

 private:
  Frame caller(int pid, const ModuleMap& modules, uint64_t call_site);
  LockStep read_step(int pid, const ModuleMap& modules, const CycleStep& step);

  StackReader reader_;
};

}  // namespace tailback
