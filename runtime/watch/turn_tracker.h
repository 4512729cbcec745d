// One turn that has lasted long enough to be looked at: its samples and the kernel's accounting
// since the first look. For the watcher thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/kernel/kernel_view.h"
#include "runtime/watch/observation.h"

namespace tailback {

class TurnTracker {
 public:
  TurnTracker(uint64_t key, uint64_t begin_tick, Nanoseconds age, int pid, int tid);

  uint64_t key() const { return key_; }
  uint64_t begin_tick() const { return begin_tick_; }

  // Whether it is time to look again, `age` after the turn's beginning.
  bool sample_is_due(Nanoseconds age) const { return age >= next_sample_; }
  void add_sample(std::shared_ptr<const Sample> sample, Nanoseconds age);
  const std::vector<WeighedSample>& samples() const { return samples_; }

  // Reads the kernel's accounting once more; call it at every look and at the turn's end.
  void look(Nanoseconds age);
  // Where the time went, scaled from the looks' span to the turn's whole length.
  TimeSpent spent(Nanoseconds duration) const;
  // Time in which the thread was stopped from outside.
  Nanoseconds stopped() const { return stopped_; }

  // Of the stall that this turn has become; 0: none was reported yet.
  uint64_t stall_id = 0;
  // Age at which the next report of a stall in progress is due.
  Nanoseconds next_report{};
  // Set once the turn has been seen over the threshold with its loop still open.
  bool confirmed = false;
  // Age at the last look.
  Nanoseconds last_age{};
  // Looks since the site was seen to have moved on, while its event is on its way.
  unsigned looks_since_end = 0;

 private:
  uint64_t key_;
  uint64_t begin_tick_;
  int pid_;
  int tid_;
  std::vector<WeighedSample> samples_;
  Nanoseconds next_sample_{};
  Nanoseconds last_sample_{};
  Nanoseconds first_look_{};
  Nanoseconds last_look_{};
  Nanoseconds stopped_{};
  std::optional<ScheduleTimes> first_times_;
  std::optional<ScheduleTimes> last_times_;
  ThreadStat first_stat_;
  ThreadStat last_stat_;
};

}  // namespace tailback
