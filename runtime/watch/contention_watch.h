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

#include "runtime/capture/module_map.h"
#include "runtime/explain/culprit.h"
#include "runtime/session/session.h"
#include "runtime/session/tick_clock.h"
#include "runtime/symbolize/symbolizer.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/contention.h"
#include "runtime/watch/record_view.h"

namespace tailback {

class ContentionWatch {
 public:
  ContentionWatch(Session& session, CulpritRule rule);
  ~ContentionWatch();

  void start();
  void stop();

  // After stop(): most time first.
  std::vector<Contention> locks();
  ContentionCounts counts() const { return counts_; }

 private:
  struct Stacks {
    std::map<std::vector<uint64_t>, ContentionStack> by_addresses;
  };
  // What is known of one entry of the segment beside its numbers.
  struct Known {
    int pid = 0;
    std::string process;
    OrderedLock lock;
    std::map<uint64_t, Frame> places;  // by call site
    Stacks waiters;
    Stacks owners;
  };
  // A lock as a waiting thread shows it.
  using Shown = std::pair<int, uint64_t>;  // pid, address
  struct Wait {
    uint64_t entered = 0;
    uint64_t looked = 0;  // tick of the last look at its stack; 0: none yet
  };
  struct Modules {
    std::shared_ptr<const ModuleMap> map;
    std::chrono::steady_clock::time_point read;
  };

  void run();
  void read_entries();
  void learn(const contract::ContendedLock& entry, Known& known);
  void look_at_waits();
  void look_at(uint32_t index, const CallView& call, Wait& wait, Known& known);
  void add_owner(int pid, int tid, uint64_t weight, Known& known);
  void add_stack(int pid, int tid, const Registers& registers, std::string call, uint64_t weight,
                 Stacks& stacks);
  int owner_of(uint32_t process, int pid, const CallView& call) const;
  std::shared_ptr<const ModuleMap> modules_of(int pid, uint64_t address);
  Frame caller(int pid, uint64_t call_site);
  Contention numbers_of(const contract::ContendedLock& entry, const Known& known) const;

  contract::Segment& segment_;
  TickClock clock_;
  CulpritRule rule_;
  std::unique_ptr<Unwinder> unwinder_;
  Symbolizer symbolizer_;
  std::map<uint32_t, Known> known_;  // by the entry's place
  std::map<Shown, uint32_t> shown_;
  std::map<uint32_t, Wait> waits_;  // by record
  std::map<int, Modules> modules_;
  ContentionCounts counts_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
