// Polls detectors on a thread of its own, each at its interval.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "runtime/detectors/detector.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class DetectorLoop {
 public:
  explicit DetectorLoop(DetectorInput& input) : input_(input) {}
  ~DetectorLoop();

  // In the order in which they are polled. Before start().
  void add(Detector& detector) { detectors_.push_back({&detector}); }

  void start();
  // Polls all once more, has them finish, and stops the thread.
  void stop();

  // What the thread does. Polls those detectors that are due.
  void poll();
  void finish();

  // Polls that a detector did not survive. After stop().
  uint64_t failures() const { return failures_; }

 private:
  struct Scheduled {
    Detector* detector = nullptr;
    uint64_t due = 0;        // tick
    bool is_polled = false;  // in this round
  };

  void run();
  Nanoseconds shortest_interval() const;
  // A corrupt target must not end the observer.
  template <typename Work>
  void guarded(Work work) {
    try {
      work();
    } catch (const std::exception&) {
      ++failures_;
    }
  }

  DetectorInput& input_;
  std::vector<Scheduled> detectors_;
  uint64_t failures_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
