// When the processes of a session began and ended: what starting them cost, how long they lived.
// For one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/segment/session.h"
#include "runtime/segment/tick_clock.h"
#include "runtime/values/assessment.h"

namespace tailback {

class ProcessLifetimes {
 public:
  ProcessLifetimes(const contract::Segment& segment, const TickClock& clock)
      : segment_(segment), clock_(clock) {}
  ~ProcessLifetimes();
  ProcessLifetimes(const ProcessLifetimes&) = delete;
  ProcessLifetimes& operator=(const ProcessLifetimes&) = delete;

  // Looks for processes that have attached.
  void look();
  // Waits for `time`, and takes note of the processes that end meanwhile.
  void wait(std::chrono::milliseconds time);

  // Those that live, as far as is known.
  std::vector<int> living() const;
  uint64_t seen() const { return seen_; }
  Spawning spawning() const;
  // Sums up intervals that may overlap, each from its first to its second.
  static uint64_t covered(std::vector<std::pair<uint64_t, uint64_t>> intervals);

 private:
  struct Life {
    uint64_t attached = 0;  // tick
    int pidfd = -1;
    bool is_first = false;
    // Of its main thread, when it was first and last looked at: time without a CPU.
    Nanoseconds first_runnable{};
    Nanoseconds runnable{};
  };
  void begin(int pid, uint64_t attached);
  void end(std::map<int, Life>::iterator life, uint64_t tick);
  void poll_young();
  void measure_start(int pid, uint64_t attached);

  const contract::Segment& segment_;
  const TickClock& clock_;
  std::map<uint32_t, uint64_t> known_;  // generation by index of the process's record
  std::map<int, Life> living_;          // by pid
  // Of the short-lived that have ended: beginning and end in ticks, and the length without the time
  // in which others had the CPU.
  std::vector<std::pair<uint64_t, uint64_t>> short_lives_;
  std::vector<Nanoseconds> short_lengths_;
  Nanoseconds starts_{};  // sum
  uint64_t measured_ = 0;
  uint64_t seen_ = 0;
  uint64_t ended_ = 0;
};

}  // namespace tailback
