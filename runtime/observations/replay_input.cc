#include "runtime/observations/replay_input.h"

#include <algorithm>
#include <utility>

#include "runtime/observations/questions.h"
#include "runtime/observations/segment_copy.h"
#include "runtime/observations/value_json.h"

namespace tailback {

namespace {

// The answer to a question is the last one that was recorded by then: what is asked in another
// order or more often than it was, by a newer detector, is answered too.
class ReplayLane {
 public:
  ReplayLane(const Observations& observations, const RecordedLane& lane)
      : observations_(observations), lane_(lane) {
    // For what is asked before the first poll.
    if (!lane.polls.empty()) tick_ = lane.polls.front().tick;
  }

  size_t polls_left() const { return lane_.polls.size() - poll_; }
  // nullptr: there is none any more.
  const RecordedLane::Poll* next_poll() {
    if (poll_ >= lane_.polls.size()) return nullptr;
    asked_.clear();
    const RecordedLane::Poll* poll = &lane_.polls[poll_++];
    tick_ = std::max(tick_, poll->tick);
    return poll;
  }
  uint64_t tick() const { return tick_; }

  // Null if it was never asked.
  const Json& ask(const std::string& question) {
    static const Json nothing;
    const auto known = lane_.answers.find(question);
    if (known == lane_.answers.end()) return nothing;
    const std::pair now(uint64_t{poll_}, asked_[question]++);
    const auto later =
        std::find_if(known->second.begin(), known->second.end(),
                     [&](const RecordedAnswer& one) { return std::pair(one.poll, one.ask) > now; });
    const RecordedAnswer& found = later == known->second.begin() ? *later : *std::prev(later);
    if (found.poll == poll_) tick_ = std::max(tick_, found.tick);
    return found.answer;
  }

  template <typename T>
  std::optional<T> optional_answer(const std::string& question) {
    return optional_from<T>(ask(question));
  }
  template <typename T>
  T answer(const std::string& question) {
    const Json& found = ask(question);
    return found.is_null() ? T{} : found.get<T>();
  }

  const Json& value(uint64_t number) const {
    static const Json nothing = Json::array();
    const auto known = observations_.values.find(number);
    return known == observations_.values.end() ? nothing : known->second;
  }

 private:
  const Observations& observations_;
  const RecordedLane& lane_;
  size_t poll_ = 0;  // from 1, as in RecordedAnswer
  uint64_t tick_ = 0;
  std::map<std::string, uint64_t> asked_;  // in this poll
};

class ReplayClock final : public Clock {
 public:
  explicit ReplayClock(const ReplayLane& lane) : lane_(lane) {}

  void set_rate(const Json& rate) {
    base_ = rate.at(0);
    base_wall_ = WallTime(
        std::chrono::duration_cast<WallTime::duration>(Nanoseconds(rate.at(1).get<int64_t>())));
    nanoseconds_per_tick_ = rate.at(2).get<double>() / 1e9;
  }

  uint64_t now() const override { return lane_.tick(); }
  void refine() override {}
  Nanoseconds duration(uint64_t ticks) const override {
    return Nanoseconds(
        static_cast<int64_t>(std::min(static_cast<double>(ticks) * nanoseconds_per_tick_, 9e18)));
  }
  uint64_t ticks(Nanoseconds duration) const override {
    const double count = static_cast<double>(std::max<int64_t>(duration.count(), 0));
    return static_cast<uint64_t>(std::min(count / nanoseconds_per_tick_, 1.8e19));
  }
  WallTime wall_time(uint64_t tick) const override {
    const uint64_t known = std::min(tick, now());
    const Nanoseconds since = known >= base_ ? duration(known - base_) : -duration(base_ - known);
    return base_wall_ + std::chrono::duration_cast<WallTime::duration>(since);
  }

 private:
  const ReplayLane& lane_;
  uint64_t base_ = 0;
  WallTime base_wall_;
  double nanoseconds_per_tick_ = 1.0;
};

class ReplayThrottledTime final : public ThrottledTime {
 public:
  ReplayThrottledTime(ReplayLane& lane, int pid)
      : lane_(lane), question_(question("throttled", pid)) {}
  std::optional<Nanoseconds> throttled() override {
    const auto answer = lane_.optional_answer<int64_t>(question_);
    return answer ? std::optional(Nanoseconds(*answer)) : std::nullopt;
  }

 private:
  ReplayLane& lane_;
  std::string question_;
};

class ReplayProcSource final : public ProcSource {
 public:
  explicit ReplayProcSource(ReplayLane& lane) : lane_(lane) {}

  std::optional<ThreadStat> thread_stat(int pid, int tid) override {
    return lane_.optional_answer<ThreadStat>(question("thread_stat", pid, tid));
  }
  std::optional<ScheduleTimes> schedule_times(int pid, int tid) override {
    return lane_.optional_answer<ScheduleTimes>(question("schedule_times", pid, tid));
  }
  std::optional<uint64_t> voluntary_switches(int pid, int tid) override {
    return lane_.optional_answer<uint64_t>(question("voluntary_switches", pid, tid));
  }
  std::optional<KernelCall> kernel_call(int pid, int tid) override {
    return lane_.optional_answer<KernelCall>(question("kernel_call", pid, tid));
  }
  std::optional<std::string> comm(int pid, int tid) override {
    return lane_.optional_answer<std::string>(question("comm", pid, tid));
  }
  bool thread_lives(int pid, int tid) override {
    return lane_.answer<bool>(question("thread_lives", pid, tid));
  }
  std::optional<int> process_of(int tid) override {
    return lane_.optional_answer<int>(question("process_of", tid));
  }
  bool process_lives(int pid) override {
    return lane_.answer<bool>(question("process_lives", pid));
  }
  std::optional<uint64_t> start_time(int pid) override {
    return lane_.optional_answer<uint64_t>(question("start_time", pid));
  }
  std::optional<ExecutableFile> executable(int pid) override {
    return lane_.optional_answer<ExecutableFile>(question("executable", pid));
  }
  std::vector<int> threads(int pid) override {
    return lane_.answer<std::vector<int>>(question("threads", pid));
  }
  std::optional<uint64_t> caught_signals(int pid) override {
    return lane_.optional_answer<uint64_t>(question("caught_signals", pid));
  }
  bool share_memory(int pid, int other_pid) override {
    return lane_.answer<bool>(question("share_memory", pid, other_pid));
  }
  std::optional<std::string> descriptor_link(int pid, int fd) override {
    return lane_.optional_answer<std::string>(question("descriptor_link", pid, fd));
  }
  bool is_non_blocking(int pid, int fd) override {
    return lane_.answer<bool>(question("is_non_blocking", pid, fd));
  }
  DescriptorFacts descriptor(int pid, int fd) override {
    return lane_.answer<DescriptorFacts>(question("descriptor", pid, fd));
  }
  std::optional<MachineClocks> clocks() override {
    return lane_.optional_answer<MachineClocks>(question("clocks"));
  }
  std::unique_ptr<ThrottledTime> throttled_time(int pid) override {
    return std::make_unique<ReplayThrottledTime>(lane_, pid);
  }

 private:
  ReplayLane& lane_;
};

class ReplaySampler final : public ThreadSampler {
 public:
  explicit ReplaySampler(ReplayLane& lane) : lane_(lane) {}

  std::shared_ptr<Sample> take(std::optional<uint32_t>, int pid, int tid) override {
    return sample(lane_.ask(question("sample", pid, tid)));
  }
  std::shared_ptr<const Sample> take_requested(uint32_t, int pid, int tid) override {
    const Json& json = lane_.ask(question("requested", pid, tid));
    return json.is_null() ? nullptr : sample(json);
  }
  std::optional<Snapshot> take_wait(int pid, int tid, const CallView&) override {
    const Json& json = lane_.ask(question("wait", pid, tid));
    if (json.is_null()) return std::nullopt;
    Snapshot snapshot = snapshot_from(json);
    snapshot.modules = modules_numbered(json);
    return snapshot;
  }
  std::vector<InterpreterStack> interpreted_at_wait(int pid, int tid, const Snapshot&) override {
    return interpreted_from(lane_.ask(question("interpreted", pid, tid)));
  }
  std::optional<int> polled_descriptor(int pid, const CallView& poll) override {
    return lane_.optional_answer<int>(question("polled", pid, poll.arguments[0]));
  }
  std::optional<LockReading> awaited_lock(int pid, const CallInProgress& call) override {
    return lane_.optional_answer<LockReading>(call_question("awaited_lock", pid, call));
  }
  int lock_owner(int pid, const CallInProgress& call) override {
    return lane_.answer<int>(call_question("lock_owner", pid, call));
  }
  bool is_able_to_block(int pid, const CallInProgress& call) override {
    return lane_.answer<bool>(call_question("able_to_block", pid, call));
  }
  std::shared_ptr<const ModuleMap> modules(int pid, RemoteAddress) override {
    return modules_of(lane_.answer<uint64_t>(question("modules", pid)));
  }
  void forget(int) override {}

 private:
  std::shared_ptr<const ModuleMap> modules_of(uint64_t number) {
    auto& modules = modules_[number];
    if (!modules) modules = modules_from(lane_.value(number));
    return modules;
  }
  std::shared_ptr<const ModuleMap> modules_numbered(const Json& json) {
    return modules_of(json.value("modules", uint64_t{0}));
  }
  std::shared_ptr<Sample> sample(const Json& json) {
    if (json.is_null()) return std::make_shared<Sample>();
    auto sample = std::make_shared<Sample>(sample_from(json));
    if (sample->snapshot) sample->snapshot->modules = modules_numbered(json);
    return sample;
  }

  ReplayLane& lane_;
  std::map<uint64_t, std::shared_ptr<const ModuleMap>> modules_;
};

class LaneInput final : public ReplayInput {
 public:
  LaneInput(const Observations& observations, const RecordedLane& recorded)
      : lane_(observations, recorded),
        segment_(make_segment()),
        clock_(lane_),
        proc_(lane_),
        sampler_(lane_) {
    if (!recorded.polls.empty()) clock_.set_rate(recorded.polls.front().clock);
  }

  contract::Segment& segment() override { return *segment_; }
  Clock& clock() override { return clock_; }
  ProcSource& proc() override { return proc_; }
  ThreadSampler& sampler() override { return sampler_; }
  size_t polls_left() const override { return lane_.polls_left(); }

  void begin_poll() override {
    const RecordedLane::Poll* poll = lane_.next_poll();
    if (!poll) return;
    if (!poll->clock.is_null()) clock_.set_rate(poll->clock);
    apply_segment_changes(*segment_, poll->segment);
  }

 private:
  ReplayLane lane_;
  OwnSegment segment_;
  ReplayClock clock_;
  ReplayProcSource proc_;
  ReplaySampler sampler_;
};

}  // namespace

std::unique_ptr<ReplayInput> make_replay_input(const Observations& observations,
                                               const std::string& lane) {
  static const RecordedLane empty;
  const auto recorded = observations.lanes.find(lane);
  return std::make_unique<LaneInput>(
      observations, recorded == observations.lanes.end() ? empty : recorded->second);
}

}  // namespace tailback
