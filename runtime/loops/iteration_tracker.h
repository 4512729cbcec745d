// One iteration that has lasted long enough to be sampled: its samples and the kernel's
// accounting since the first poll. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/kernel/proc_source.h"
#include "runtime/loops/loop_wait.h"
#include "runtime/sampling/sample.h"
#include "runtime/segment/clock.h"

namespace tailback {

class IterationTracker {
 public:
  // `age`s are times since the iteration's beginning. `allowed` is the part of them that was spent
  // in scopes which are allowed to block.
  IterationTracker(const LoopWait& wait, uint64_t begin_tick, Nanoseconds age, Nanoseconds allowed,
                   int pid, int tid, const Clock& clock, ProcSource& proc);

  uint64_t key() const { return wait_.key; }
  // The wait that began the iteration.
  const LoopWait& wait() const { return wait_; }
  uint64_t begin_tick() const { return begin_tick_; }

  // Whether it is time to look again, `age` after the iteration's beginning.
  bool sample_is_due(Nanoseconds age) const { return age >= next_sample_; }
  // `since`: the age since when the thread has been there, as far as known.
  void add_sample(std::shared_ptr<const Sample> sample, Nanoseconds age, Nanoseconds since);
  const std::vector<WeighedSample>& samples() const { return samples_; }
  // The iteration has ended at this tick. An idle wait ends it at the wait's entry, and may have
  // been sampled.
  void drop_samples_after(uint64_t end_tick);

  // Reads the kernel's accounting once more; call it at every look and at the iteration's end.
  // `late`: how long ago the iteration was at that age, if it has ended. What the thread has done
  // since is in the accounting, too: where that may be much it is not read.
  void look(Nanoseconds age, Nanoseconds allowed, Nanoseconds late = Nanoseconds::zero());
  // Where the time went, if the iteration's length without what is not counted is `duration`.
  TimeSpent spent(Nanoseconds duration) const;
  // Time in which the thread was stopped from outside, to half the time between two looks at each
  // end; and whether it still was at the last look.
  Nanoseconds stopped() const { return stopped_; }
  bool is_stopped() const { return is_stopped_; }
  // At the last look.
  Nanoseconds allowed() const { return allowed_; }

  // Of the stall that this iteration has become; 0: none was reported yet.
  uint64_t stall_id = 0;
  // Set if that stall turns out to be none (NoStall).
  bool is_no_stall = false;
  bool is_open_stall() const { return stall_id != 0 && !is_no_stall; }
  // Age at which the next report of a stall in progress is due.
  Nanoseconds next_report{};
  // Set once the iteration has been seen over the threshold with its loop still open.
  bool confirmed = false;
  // Age at the last look.
  Nanoseconds last_age{};
  // Looks since the site was seen to have moved on, while its event is on its way.
  unsigned polls_since_end = 0;

 private:
  void read_accounting(bool is_set_aside);
  // Takes what the counters grew by out of the accounting.
  void set_aside(const ThreadStat& stat, const std::optional<ScheduleTimes>& times,
                 const std::optional<Nanoseconds>& throttled);

  LoopWait wait_;
  uint64_t begin_tick_;
  int pid_;
  int tid_;
  std::vector<WeighedSample> samples_;
  Nanoseconds next_sample_{};
  Nanoseconds last_sample_{};
  Nanoseconds first_read_{};  // age when the accounting's first reading was over
  Nanoseconds last_read_{};   // … and of the last
  Nanoseconds last_poll_{};
  Nanoseconds stopped_{};
  Nanoseconds allowed_{};
  Nanoseconds first_allowed_{};  // at the first look
  bool is_stopped_ = false;
  ProcSource* proc_;
  std::unique_ptr<ThrottledTime> quota_;
  std::optional<Nanoseconds> first_throttled_;
  std::optional<Nanoseconds> last_throttled_;
  std::optional<ScheduleTimes> first_times_;
  std::optional<ScheduleTimes> last_times_;
  ThreadStat first_stat_;
  ThreadStat last_stat_;
};

}  // namespace tailback
