#include "runtime/loops/iteration_tracker.h"

#include <algorithm>

#include "runtime/loops/iteration_accounting.h"

namespace tailback {

namespace {

// The first looks come at every opportunity; a stall that goes on is looked at ever more seldom.
constexpr size_t kDenseSamples = 8;
constexpr size_t kMostSamples = 24;
constexpr int kSpacing = 4;  // later looks: a quarter of the iteration's age apart

// A look at an iteration that has ended comes too late if it is more than a look later, and than
// this share of the iteration.
constexpr Nanoseconds kLate = std::chrono::milliseconds(25);
constexpr int kLateShare = 16;

}  // namespace

IterationTracker::IterationTracker(const LoopWait& wait, uint64_t begin_tick, Nanoseconds age,
                                   Nanoseconds allowed, int pid, int tid, const Clock& clock,
                                   ProcSource& proc)
    : wait_(wait),
      begin_tick_(begin_tick),
      pid_(pid),
      tid_(tid),
      first_allowed_(allowed),
      proc_(&proc),
      quota_(proc.throttled_time(pid)) {
  look(age, allowed);
  // An observer that lacks a CPU, too, reads later than it looked.
  first_read_ = std::max(age, clock.duration(clock.now() - begin_tick));
  first_times_ = last_times_;
  first_stat_ = last_stat_;
  first_throttled_ = last_throttled_;
}

void IterationTracker::add_sample(std::shared_ptr<const Sample> sample, Nanoseconds age,
                                  Nanoseconds since) {
  if (sample->state == 'T' || sample->state == 't') return;  // look() counts that
  const Nanoseconds weight = age - last_sample_;
  last_sample_ = age;
  // What computes within a call is elsewhere at every look.
  const bool is_same_call = !samples_.empty() && !sample->held &&
                            sample->source == Sample::Source::kRecord &&
                            samples_.back().sample->source == Sample::Source::kRecord &&
                            samples_.back().sample->recorded.same_call(sample->recorded);
  if (is_same_call) {
    samples_.back().weight += weight;
  } else if (sample->snapshot || sample->call) {
    samples_.push_back({std::move(sample), weight, since});
  }
  if (samples_.size() > kMostSamples) {
    // The lightest makes room; its time goes to its neighbour.
    const auto lightest = std::min_element(
        samples_.begin(), samples_.end() - 1,
        [](const WeighedSample& a, const WeighedSample& b) { return a.weight < b.weight; });
    (lightest + 1)->weight += lightest->weight;
    samples_.erase(lightest);
  }
  next_sample_ = samples_.size() < kDenseSamples ? age : age + age / kSpacing;
}

void IterationTracker::drop_samples_after(uint64_t end_tick) {
  std::erase_if(samples_, [&](const WeighedSample& one) {
    const Sample& sample = *one.sample;
    return sample.source == Sample::Source::kRecord && sample.recorded.entered >= end_tick;
  });
}

void IterationTracker::set_aside(const ThreadStat& stat, const std::optional<ScheduleTimes>& times,
                                 const std::optional<Nanoseconds>& throttled) {
  if (first_times_ && times && last_times_) {
    first_times_->on_cpu += last_times_->on_cpu - times->on_cpu;
    first_times_->runnable += last_times_->runnable - times->runnable;
  }
  if (first_throttled_ && throttled && last_throttled_) {
    *first_throttled_ += *last_throttled_ - *throttled;
  }
  first_stat_.user_ticks += last_stat_.user_ticks - stat.user_ticks;
  first_stat_.system_ticks += last_stat_.system_ticks - stat.system_ticks;
  first_stat_.major_faults += last_stat_.major_faults - stat.major_faults;
}

void IterationTracker::read_accounting(bool is_set_aside) {
  const ThreadStat stat_before = last_stat_;
  const auto times_before = last_times_;
  const auto throttled_before = last_throttled_;
  if (auto times = proc_->schedule_times(pid_, tid_)) last_times_ = times;
  if (auto throttled = quota_->throttled()) last_throttled_ = throttled;
  if (const auto stat = proc_->thread_stat(pid_, tid_)) {
    last_stat_ = *stat;
    is_stopped_ = stat->state == 'T' || stat->state == 't';
  }
  if (is_set_aside) set_aside(stat_before, times_before, throttled_before);
}

void IterationTracker::look(Nanoseconds age, Nanoseconds allowed, Nanoseconds late) {
  Nanoseconds gap = std::max(age - last_poll_, Nanoseconds::zero());
  last_poll_ = age;
  const Nanoseconds newly_allowed = std::clamp(allowed - allowed_, Nanoseconds::zero(), gap);
  allowed_ = std::max(allowed_, allowed);
  const bool was_stopped = is_stopped_;
  if (late > std::max<Nanoseconds>(kLate, age / kLateShare)) {
    is_stopped_ = false;
  } else {
    last_read_ = age;
    // Between two looks the counters are one sum: it goes where most of the time went.
    read_accounting(newly_allowed > gap / 2);
  }
  last_sample_ = std::min(last_sample_ + newly_allowed, age);
  gap -= newly_allowed;
  if (!was_stopped && !is_stopped_) return;
  const Nanoseconds stopped = was_stopped && is_stopped_ ? gap : gap / 2;
  stopped_ += stopped;
  last_sample_ = std::min(last_sample_ + stopped, age);  // no sample stands for that time
}

TimeSpent IterationTracker::spent(Nanoseconds duration) const {
  if (!first_times_ || !last_times_) return {};
  CounterGrowth growth;
  growth.on_cpu = last_times_->on_cpu - first_times_->on_cpu;
  growth.runnable = last_times_->runnable - first_times_->runnable;
  growth.throttled =
      last_throttled_.value_or(Nanoseconds{}) - first_throttled_.value_or(Nanoseconds{});
  growth.user_ticks = last_stat_.user_ticks - first_stat_.user_ticks;
  growth.system_ticks = last_stat_.system_ticks - first_stat_.system_ticks;
  growth.major_faults = last_stat_.major_faults - first_stat_.major_faults;
  Nanoseconds in_faults{};
  for (const WeighedSample& sample : samples_) {
    if (sample.sample->in_fault) in_faults += sample.weight;
  }
  const Nanoseconds looked_at = std::min(last_read_ - stopped_ - allowed_, duration) -
                                (first_read_ - std::min(first_read_, first_allowed_));
  return share_out(growth, looked_at, in_faults, duration);
}

}  // namespace tailback
