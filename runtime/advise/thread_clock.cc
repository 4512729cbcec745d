#include "runtime/advise/thread_clock.h"

#include <algorithm>
#include <numeric>

namespace tailback {

void ThreadClock::look(Nanoseconds time, std::optional<Activity> blocked,
                       const std::optional<ScheduleTimes>& times) {
  life_ += time;
  if (blocked) seen_[static_cast<size_t>(*blocked)] += time;
  if (times) last_ = *times;
}

ThreadTime ThreadClock::spent() const {
  ThreadTime spent;
  spent.on_cpu = std::max(last_.on_cpu - first_.on_cpu, Nanoseconds::zero());
  spent.runnable = std::max(last_.runnable - first_.runnable, Nanoseconds::zero());
  const Nanoseconds blocked = life_ - spent.on_cpu - spent.runnable;
  if (blocked <= Nanoseconds::zero()) return spent;
  const Nanoseconds seen = std::accumulate(seen_.begin(), seen_.end(), Nanoseconds::zero());
  if (seen == Nanoseconds::zero()) {
    spent.blocked[static_cast<size_t>(Activity::kUnknown)] = blocked;
    return spent;
  }
  const double scale = static_cast<double>(blocked.count()) / static_cast<double>(seen.count());
  for (size_t i = 0; i < seen_.size(); ++i) {
    spent.blocked[i] =
        Nanoseconds(static_cast<int64_t>(static_cast<double>(seen_[i].count()) * scale));
  }
  return spent;
}

void add(ThreadTime& sum, const ThreadTime& time) {
  sum.on_cpu += time.on_cpu;
  sum.runnable += time.runnable;
  for (size_t i = 0; i < sum.blocked.size(); ++i) sum.blocked[i] += time.blocked[i];
}

}  // namespace tailback
