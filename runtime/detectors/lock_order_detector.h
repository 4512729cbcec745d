// Follows the order in which the threads of a session take locks, and tells of those that can
// deadlock. Has a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/detectors/observation.h"
#include "runtime/locks/lock_cycle.h"
#include "runtime/locks/lock_graph.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/segment/lock_ring.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/lock_order.h"

namespace tailback {

class LockOrderDetector {
 public:
  // `emit` is called on the detector's own thread.
  LockOrderDetector(DetectorInput& input, const CulpritRule& rule, Emit emit,
                    std::unique_ptr<StackSource> stacks = make_stack_source());
  ~LockOrderDetector();

  void start();
  // Reads what is left and stops the thread.
  void stop();

  // What the thread does at each of its intervals, and once more in stop().
  void poll();

  // After stop().
  LockOrderCounts summary() const;

 private:
  struct Target {
    LockGraph graph;
    std::string name;
    std::shared_ptr<const ModuleMap> modules;
    std::map<std::vector<uint64_t>, uint64_t> told;  // by the locks, or where they are initialised
    uint64_t last_event = 0;
  };
  using TargetKey = std::pair<int, uint32_t>;  // pid and the generation of its record

  void run();
  void take(const contract::LockEvent& event);
  void consider(const contract::LockEvent& event, Target& target, const Cycle& cycle);
  Target& target_of(const contract::LockEvent& event);
  void forget_ended();
  const ModuleMap& modules_of(Target& target, int pid, uint64_t address);
  std::shared_ptr<const RawStack> read_stack(const contract::LockEvent& event, Target& target);
  uint64_t origin_of(const contract::LockEvent& event, const LockId& lock) const;
  bool is_sure(const contract::LockEvent& event, Target& target, const LockUse& use);

  DetectorInput& input_;
  contract::Segment& segment_;
  LockRing ring_;
  const Clock& clock_;
  ProcSource& proc_;
  ThreadSampler& sampler_;
  CycleReader reader_;
  Emit emit_;
  std::map<TargetKey, Target> targets_;
  LockOrderCounts counts_;
  uint64_t left_out_before_ = 0;  // by graphs of processes that have ended
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
