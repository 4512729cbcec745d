// Reads what recorders sum up of waits for locks (--locks), and looks at the threads that wait for
// long and at those that they wait for. Has a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/explain/culprit.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/contention.h"

namespace tailback {

class ContentionProfiler {
 public:
  ContentionProfiler(DetectorInput& input, CulpritRule rule,
                     std::unique_ptr<StackSource> stacks = make_stack_source());
  ~ContentionProfiler();

  void start();
  void stop();

  // What the thread does at each of its intervals; and in stop().
  void poll();
  void poll_last();

  // After stop(): most time first.
  std::vector<Contention> locks();
  ContentionCounts counts() const { return counts_; }

 private:
  // What is known of one entry of the segment beside its numbers.
  struct Known {
    int pid = 0;
    std::string process;
    OrderedLock lock;
    std::map<uint64_t, Frame> places;  // by call site
    std::vector<ContentionStack> waiters;
    std::vector<ContentionStack> owners;
  };
  // A lock as a waiting thread shows it.
  using Shown = std::pair<int, uint64_t>;  // pid, address
  struct Wait {
    uint64_t entered = 0;
    uint64_t looked = 0;  // tick of the last look at its stack; 0: none yet
    unsigned misses = 0;  // looks since then that did not get at the owner
  };

  void run();
  void read_entries();
  void learn(const contract::ContendedLock& entry, Known& known);
  void heed_new_program(int pid, uint32_t generation);
  void poll_waits();
  // False: the owner could not be looked at just then.
  bool look_at(uint32_t index, const CallView& call, const Wait& wait, Known& known);
  std::shared_ptr<const Sample> sample_of(uint32_t index);
  std::shared_ptr<const Sample> sample_of_owner(int pid, int tid);
  void add_stack(int pid, const Sample& sample, std::string call, uint64_t weight,
                 std::vector<ContentionStack>& stacks);
  int owner_of(uint32_t process, int pid, const CallView& call) const;
  std::shared_ptr<const ModuleMap> modules_of(int pid, uint64_t address);
  Frame caller(int pid, uint64_t call_site);
  Contention numbers_of(const contract::ContendedLock& entry, const Known& known) const;

  DetectorInput& input_;
  contract::Segment& segment_;
  Clock& clock_;
  ThreadSampler& sampler_;
  std::map<int, uint32_t> generations_;  // of the processes that are known to it
  StackReader reader_;
  std::map<uint32_t, Known> known_;  // by the entry's place
  std::map<Shown, uint32_t> shown_;
  std::map<uint32_t, Wait> waits_;  // by record
  ContentionCounts counts_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
