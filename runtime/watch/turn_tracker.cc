#include "runtime/watch/turn_tracker.h"

#include <algorithm>

namespace tailback {

namespace {

// The first looks come at every opportunity; a stall that goes on is looked at ever more seldom.
constexpr size_t kDenseSamples = 8;
constexpr size_t kMostSamples = 24;
constexpr int kSpacing = 4;  // later looks: a quarter of the turn's age apart

}  // namespace

TurnTracker::TurnTracker(uint64_t key, uint64_t begin_tick, Nanoseconds age, int pid, int tid)
    : key_(key), begin_tick_(begin_tick), pid_(pid), tid_(tid), first_look_(age) {
  look(age);
  first_times_ = last_times_;
  first_stat_ = last_stat_;
}

void TurnTracker::add_sample(std::shared_ptr<const Sample> sample, Nanoseconds age) {
  const Nanoseconds weight = age - last_sample_;
  last_sample_ = age;
  if (sample->state == 'T' || sample->state == 't') {
    stopped_ += weight;
    return;
  }
  // What computes within a call is elsewhere at every look.
  const bool is_same_call = !samples_.empty() && !sample->held &&
                            sample->source == Sample::Source::kRecord &&
                            samples_.back().sample->source == Sample::Source::kRecord &&
                            samples_.back().sample->recorded.same_call(sample->recorded);
  if (is_same_call) {
    samples_.back().weight += weight;
  } else if (sample->snapshot || sample->call) {
    samples_.push_back({std::move(sample), weight});
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

void TurnTracker::look(Nanoseconds age) {
  last_look_ = age;
  if (auto times = read_schedule_times(pid_, tid_)) last_times_ = times;
  if (const auto stat = read_thread_stat(pid_, tid_)) last_stat_ = *stat;
}

TimeSpent TurnTracker::spent(Nanoseconds duration) const {
  TimeSpent spent;
  const Nanoseconds span = std::max(last_look_, duration) - first_look_;
  if (!first_times_ || !last_times_ || span <= Nanoseconds::zero()) return spent;
  const double scale = static_cast<double>(duration.count()) / static_cast<double>(span.count());
  const auto scaled = [&](Nanoseconds difference) {
    const Nanoseconds whole(static_cast<int64_t>(static_cast<double>(difference.count()) * scale));
    return std::clamp(whole, Nanoseconds::zero(), duration);
  };
  spent.known = true;
  spent.on_cpu = scaled(last_times_->on_cpu - first_times_->on_cpu);
  spent.runnable = scaled(last_times_->runnable - first_times_->runnable);
  const uint64_t user = last_stat_.user_ticks - first_stat_.user_ticks;
  const uint64_t system = last_stat_.system_ticks - first_stat_.system_ticks;
  if (user + system > 0) {
    const double share = static_cast<double>(system) / static_cast<double>(user + system);
    spent.in_kernel =
        Nanoseconds(static_cast<int64_t>(share * static_cast<double>(spent.on_cpu.count())));
  }
  spent.major_faults = last_stat_.major_faults - first_stat_.major_faults;
  return spent;
}

}  // namespace tailback
