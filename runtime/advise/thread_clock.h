// Where the time of one thread went: the kernel's counters say how much of it the thread ran and
// was ready to run; what was seen at each look says what it did with the rest. Knows nothing of
// /proc: it is given what was read.
#pragma once

#include <array>
#include <optional>

#include "runtime/kernel/kernel_view.h"
#include "runtime/values/assessment.h"

namespace tailback {

class ThreadClock {
 public:
  // `before`: the counters' reading when the thread began to be watched; they count from its start.
  explicit ThreadClock(const ScheduleTimes& before) : first_(before), last_(before) {}

  // A look, `time` after the one before. `blocked`: what it is blocked in; nothing if it runs or is
  // ready to. `times`: the counters, if they were read.
  void look(Nanoseconds time, std::optional<Activity> blocked,
            const std::optional<ScheduleTimes>& times);

  // So far.
  ThreadTime spent() const;
  const ScheduleTimes& last() const { return last_; }

 private:
  ScheduleTimes first_;
  ScheduleTimes last_;
  Nanoseconds life_{};
  std::array<Nanoseconds, kActivityWords.size()> seen_{};
};

// Adds one to the other.
void add(ThreadTime& sum, const ThreadTime& time);

}  // namespace tailback
