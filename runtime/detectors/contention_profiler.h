// Reads what recorders sum up of waits for locks (--locks), and samples the threads that wait for
// long and those that they wait for. Has a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "runtime/detectors/observation.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/session.h"

namespace tailback {

class ContentionProfiler {
 public:
  // `emit` is called on the profiler's own thread.
  ContentionProfiler(DetectorInput& input, Emit emit);
  ~ContentionProfiler();

  void start();
  // Has the thread poll for the last time and stops it.
  void stop();

  // What the thread does at each of its intervals.
  void poll();
  // What it does in the end: emits the totals of all locks, too.
  void poll_last();

  // After stop(): what was lost.
  void add_losses(SessionEnd& end) const;

 private:
  struct KnownLock {
    int pid = 0;
    std::string process;
    uint64_t address = 0;
    std::string kind;
    std::set<uint64_t> call_sites;
  };
  // A lock as a waiting thread shows it.
  using Shown = std::pair<int, uint64_t>;  // pid, address
  struct Wait {
    uint64_t entered = 0;
    uint64_t sampled = 0;  // tick of the last sample of its stack; 0: none yet
    unsigned misses = 0;   // samples since then that did not get at the owner
  };

  void run();
  void read_entries();
  void learn(uint32_t index);
  void heed_new_program(int pid, uint32_t generation);
  void poll_waits();
  // False: the owner could not be sampled just then.
  bool sample_wait(uint32_t index, const CallView& call, const Wait& wait, uint32_t entry);
  std::shared_ptr<const Sample> sample_of(uint32_t index);
  std::shared_ptr<const Sample> sample_of_owner(int pid, int tid);
  int owner_of(uint32_t process, int pid, const CallView& call) const;
  ContentionSeen news_of(uint32_t entry, const KnownLock& lock) const;
  void emit_totals();

  DetectorInput& input_;
  contract::Segment& segment_;
  Clock& clock_;
  ThreadSampler& sampler_;
  std::map<int, uint32_t> generations_;  // of the processes that are known to it
  Emit emit_;
  std::map<uint32_t, KnownLock> known_;  // by the entry's place
  std::map<Shown, uint32_t> shown_;
  std::map<uint32_t, Wait> waits_;  // by record
  uint64_t failures_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
