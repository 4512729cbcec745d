#include "runtime/observations/recording_input.h"

#include <utility>

#include "runtime/observations/questions.h"
#include "runtime/observations/value_json.h"

namespace tailback {

void RecordingLane::begin_poll(Json line) {
  ++poll_;
  line["lane"] = name_;
  writer_.write(line);
}

void RecordingLane::write(const std::string& question, const Json& answer, uint64_t tick) {
  std::string text = answer.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto [place, is_first] = known_.try_emplace(question);
  Known& known = place->second;
  if (std::exchange(known.poll, poll_) != poll_) known.asked = 0;
  const uint64_t asked = known.asked++;
  if (!is_first && known.answer == text) return;
  known.answer = std::move(text);
  Json line = {{"lane", name_}, {"ask", question}, {"is", answer}};
  if (asked > 0) line["n"] = asked;
  if (tick != 0) line["tick"] = tick;
  writer_.write(line);
}

namespace {

class RecordingClock final : public Clock {
 public:
  explicit RecordingClock(contract::TickSource source) : real_(source) {}

  uint64_t now() const override { return real_.now(); }
  void refine() override { real_.refine(); }
  Nanoseconds duration(uint64_t ticks) const override { return real_.duration(ticks); }
  uint64_t ticks(Nanoseconds duration) const override { return real_.ticks(duration); }
  WallTime wall_time(uint64_t tick) const override { return real_.wall_time(tick); }

  // A tick, its wall time, and how many picoseconds a million ticks take.
  Json rate() {
    if (base_ == 0) base_ = real_.now();
    return {
        base_,
        std::chrono::duration_cast<Nanoseconds>(real_.wall_time(base_).time_since_epoch()).count(),
        real_.duration(1'000'000'000).count()};
  }

 private:
  TickClock real_;
  uint64_t base_ = 0;
};

class RecordingThrottledTime final : public ThrottledTime {
 public:
  RecordingThrottledTime(std::unique_ptr<ThrottledTime> real, RecordingLane& lane, int pid)
      : real_(std::move(real)), lane_(lane), question_(question("throttled", pid)) {}

  std::optional<Nanoseconds> throttled() override {
    const auto answer = real_->throttled();
    lane_.write(question_, answer ? Json(answer->count()) : Json());
    return answer;
  }

 private:
  std::unique_ptr<ThrottledTime> real_;
  RecordingLane& lane_;
  std::string question_;
};

class RecordingProcSource final : public ProcSource {
 public:
  explicit RecordingProcSource(RecordingLane& lane) : lane_(lane) {}

  std::optional<ThreadStat> thread_stat(int pid, int tid) override {
    auto answer = real_.thread_stat(pid, tid);
    lane_.write(question("thread_stat", pid, tid), json_of(answer));
    return answer;
  }
  std::optional<ScheduleTimes> schedule_times(int pid, int tid) override {
    auto answer = real_.schedule_times(pid, tid);
    lane_.write(question("schedule_times", pid, tid), json_of(answer));
    return answer;
  }
  std::optional<uint64_t> voluntary_switches(int pid, int tid) override {
    auto answer = real_.voluntary_switches(pid, tid);
    lane_.write(question("voluntary_switches", pid, tid), json_of(answer));
    return answer;
  }
  std::optional<KernelCall> kernel_call(int pid, int tid) override {
    auto answer = real_.kernel_call(pid, tid);
    lane_.write(question("kernel_call", pid, tid), json_of(answer));
    return answer;
  }
  std::optional<std::string> comm(int pid, int tid) override {
    auto answer = real_.comm(pid, tid);
    lane_.write(question("comm", pid, tid), json_of(answer));
    return answer;
  }
  bool thread_lives(int pid, int tid) override {
    bool answer = real_.thread_lives(pid, tid);
    lane_.write(question("thread_lives", pid, tid), answer);
    return answer;
  }
  std::optional<int> process_of(int tid) override {
    auto answer = real_.process_of(tid);
    lane_.write(question("process_of", tid), json_of(answer));
    return answer;
  }
  bool process_lives(int pid) override {
    bool answer = real_.process_lives(pid);
    lane_.write(question("process_lives", pid), answer);
    return answer;
  }
  std::optional<uint64_t> start_time(int pid) override {
    auto answer = real_.start_time(pid);
    lane_.write(question("start_time", pid), json_of(answer));
    return answer;
  }
  std::optional<ExecutableFile> executable(int pid) override {
    auto answer = real_.executable(pid);
    lane_.write(question("executable", pid), json_of(answer));
    return answer;
  }
  std::vector<int> threads(int pid) override {
    std::vector<int> answer = real_.threads(pid);
    lane_.write(question("threads", pid), answer);
    return answer;
  }
  std::optional<uint64_t> caught_signals(int pid) override {
    auto answer = real_.caught_signals(pid);
    lane_.write(question("caught_signals", pid), json_of(answer));
    return answer;
  }
  bool share_memory(int pid, int other_pid) override {
    bool answer = real_.share_memory(pid, other_pid);
    lane_.write(question("share_memory", pid, other_pid), answer);
    return answer;
  }
  std::optional<std::string> descriptor_link(int pid, int fd) override {
    auto answer = real_.descriptor_link(pid, fd);
    lane_.write(question("descriptor_link", pid, fd), json_of(answer));
    return answer;
  }
  bool is_non_blocking(int pid, int fd) override {
    bool answer = real_.is_non_blocking(pid, fd);
    lane_.write(question("is_non_blocking", pid, fd), answer);
    return answer;
  }
  DescriptorFacts descriptor(int pid, int fd) override {
    DescriptorFacts answer = real_.descriptor(pid, fd);
    lane_.write(question("descriptor", pid, fd), answer);
    return answer;
  }
  std::optional<MachineClocks> clocks() override {
    auto answer = real_.clocks();
    lane_.write(question("clocks"), json_of(answer));
    return answer;
  }
  std::unique_ptr<ThrottledTime> throttled_time(int pid) override {
    return std::make_unique<RecordingThrottledTime>(real_.throttled_time(pid), lane_, pid);
  }

 private:
  LinuxProcSource real_;
  RecordingLane& lane_;
};

class RecordingSampler final : public ThreadSampler {
 public:
  RecordingSampler(contract::Segment& live, RecordingLane& lane, const Clock& clock)
      : real_(live), lane_(lane), clock_(clock) {}

  std::shared_ptr<Sample> take(std::optional<uint32_t> record, int pid, int tid) override {
    auto sample = real_.take(record, pid, tid);
    Json json = with_modules(sample->snapshot, [&] { return json_of(*sample); });
    lane_.write(question("sample", pid, tid), json, clock_.now());
    return sample;
  }

  std::shared_ptr<const Sample> take_requested(uint32_t record, int pid, int tid) override {
    const auto taken = real_.take_requested(record, pid, tid);
    if (!taken) {
      lane_.write(question("requested", pid, tid), Json());
      return nullptr;
    }
    auto sample = std::make_shared<Sample>(*taken);
    Json json = with_modules(sample->snapshot, [&] { return json_of(*sample); });
    lane_.write(question("requested", pid, tid), json);
    return sample;
  }

  std::optional<Snapshot> take_wait(int pid, int tid, const CallView& wait) override {
    auto snapshot = real_.take_wait(pid, tid, wait);
    Json json = with_modules(snapshot, [&] { return snapshot ? json_of(*snapshot) : Json(); });
    lane_.write(question("wait", pid, tid), json);
    return snapshot;
  }

  std::vector<InterpreterStack> interpreted_at_wait(int pid, int tid,
                                                    const Snapshot& snapshot) override {
    auto stacks = real_.interpreted_at_wait(pid, tid, snapshot);
    lane_.write(question("interpreted", pid, tid), json_of(stacks));
    return stacks;
  }

  std::optional<int> polled_descriptor(int pid, const CallView& poll) override {
    const auto answer = real_.polled_descriptor(pid, poll);
    lane_.write(question("polled", pid, poll.arguments[0]), json_of(answer));
    return answer;
  }

  std::optional<LockReading> awaited_lock(int pid, const CallInProgress& call) override {
    auto answer = real_.awaited_lock(pid, call);
    lane_.write(call_question("awaited_lock", pid, call), json_of(answer));
    return answer;
  }

  int lock_owner(int pid, const CallInProgress& call) override {
    const int answer = real_.lock_owner(pid, call);
    lane_.write(call_question("lock_owner", pid, call), answer);
    return answer;
  }

  bool is_able_to_block(int pid, const CallInProgress& call) override {
    const bool answer = real_.is_able_to_block(pid, call);
    lane_.write(call_question("able_to_block", pid, call), answer);
    return answer;
  }

  std::shared_ptr<const ModuleMap> modules(int pid, RemoteAddress address) override {
    auto answer = real_.modules(pid, address);
    lane_.write(question("modules", pid), number_of(answer));
    return answer;
  }

  void forget(int pid) override { real_.forget(pid); }

 private:
  uint64_t number_of(const std::shared_ptr<const ModuleMap>& modules) {
    uint64_t& number = numbers_[modules];
    if (number == 0) number = lane_.writer().number_of(json_of(*modules));
    return number;
  }

  // Names the snapshot, and adds the number of its modules.
  template <typename MakeJson>
  Json with_modules(std::optional<Snapshot>& snapshot, MakeJson make) {
    if (snapshot) snapshot->id = lane_.writer().next_snapshot();
    Json json = make();
    if (snapshot && snapshot->modules) json["modules"] = number_of(snapshot->modules);
    return json;
  }

  TargetSampler real_;
  RecordingLane& lane_;
  const Clock& clock_;
  std::map<std::shared_ptr<const ModuleMap>, uint64_t> numbers_;
};

class RecordingInput final : public DetectorInput {
 public:
  RecordingInput(contract::Segment& live, SegmentReader reader, ObservationWriter& writer,
                 std::string name)
      : lane_(writer, std::move(name)),
        copy_(live, reader),
        clock_(live.header.tick_source),
        proc_(lane_),
        sampler_(live, lane_, clock_) {}
  ~RecordingInput() override { copy_.pass_on(); }

  contract::Segment& segment() override { return copy_.segment(); }
  Clock& clock() override { return clock_; }
  ProcSource& proc() override { return proc_; }
  ThreadSampler& sampler() override { return sampler_; }

  void begin_poll() override {
    Json changes = copy_.refresh();
    Json line = {{"poll", clock_.now()}};
    if (!changes.empty()) line["segment"] = std::move(changes);
    Json rate = clock_.rate();
    if (rate != rate_) line["clock"] = rate;
    rate_ = std::move(rate);
    lane_.begin_poll(std::move(line));
  }

 private:
  RecordingLane lane_;
  SegmentCopy copy_;
  RecordingClock clock_;
  RecordingProcSource proc_;
  RecordingSampler sampler_;
  Json rate_;
};

}  // namespace

std::unique_ptr<DetectorInput> make_recording_input(contract::Segment& live, SegmentReader reader,
                                                    ObservationWriter& writer, std::string name) {
  return std::make_unique<RecordingInput>(live, reader, writer, std::move(name));
}

}  // namespace tailback
