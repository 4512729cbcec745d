// Reads the ring of locks: which lock a thread took while it held which others, with its captured
// stack. Has a thread of its own.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "runtime/detectors/observation.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/segment/lock_ring.h"
#include "runtime/values/session.h"

namespace tailback {

class LockOrderDetector {
 public:
  // `emit` is called on the detector's own thread.
  LockOrderDetector(DetectorInput& input, Emit emit);
  ~LockOrderDetector();

  void start();
  // Reads what is left and stops the thread.
  void stop();

  // What the thread does at each of its intervals, and once more in stop(): takes all events that
  // wait.
  void poll();

  // After stop(): what was lost.
  void add_losses(SessionEnd& end) const;

 private:
  struct Process {
    uint32_t generation = 0;
    std::string name;
    uint64_t last_event = 0;
  };

  void run();
  bool take(const contract::LockEvent& event);
  const Process& process_of(const contract::LockEvent& event);
  std::shared_ptr<const ModuleMap> modules_of(const contract::LockEvent& event);
  std::shared_ptr<const Snapshot> take_capture(const contract::LockEvent& event,
                                               std::shared_ptr<const ModuleMap> modules);
  LockUse use_of(const contract::LockEvent& event, const contract::TakenLock& lock) const;

  DetectorInput& input_;
  contract::Segment& segment_;
  LockRing ring_;
  Emit emit_;
  std::map<int, Process> processes_;  // by pid
  // Copied stacks that analysis has not unwound yet.
  std::shared_ptr<std::atomic<size_t>> stacks_in_flight_;
  uint64_t corrupt_ = 0;
  uint64_t lost_stacks_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
