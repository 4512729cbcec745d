// A target that exists in a test only: its segment, the clock, what the kernel says of it and what
// a sample of it finds. Detectors read it as they read a live one, and no time passes by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/session_detection.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

// A tick is a nanosecond.
class ScriptedClock final : public Clock {
 public:
  uint64_t now() const override { return now_; }
  void refine() override {}
  Nanoseconds duration(uint64_t ticks) const override {
    return Nanoseconds(static_cast<int64_t>(ticks));
  }
  uint64_t ticks(Nanoseconds duration) const override {
    return static_cast<uint64_t>(duration.count());
  }
  WallTime wall_time(uint64_t tick) const override {
    return WallTime() + std::chrono::duration_cast<WallTime::duration>(duration(tick));
  }

  void advance(Nanoseconds by) { now_ += ticks(by); }

 private:
  uint64_t now_ = 1'000'000'000;
};

// What the kernel says, by thread. Threads that are not in it are gone.
class ScriptedProc final : public ProcSource {
 public:
  struct Thread {
    char state = 'S';
    std::string name = "loop";
    std::optional<KernelCall> blocked;
    uint64_t switches = 0;
    ScheduleTimes times;
  };
  std::map<int, Thread> by_tid;
  std::string descriptors = "anon_inode:[eventpoll]";
  std::map<int, DescriptorFacts> facts;  // by descriptor
  Nanoseconds suspended{};
  bool ends_after_start_time = false;  // all threads, as soon as that was read
  const Clock* clock = nullptr;

  std::optional<ThreadStat> thread_stat(int, int tid) override;
  std::optional<ScheduleTimes> schedule_times(int, int tid) override;
  std::optional<uint64_t> voluntary_switches(int, int tid) override;
  std::optional<KernelCall> kernel_call(int, int tid) override;
  std::optional<std::string> comm(int, int tid) override;
  bool thread_lives(int, int tid) override { return by_tid.contains(tid); }
  std::optional<int> process_of(int) override { return std::nullopt; }
  bool process_lives(int pid) override { return by_tid.contains(pid); }
  std::optional<uint64_t> start_time(int pid) override;
  std::optional<ExecutableFile> executable(int) override { return std::nullopt; }
  std::vector<int> threads(int) override;
  std::optional<uint64_t> caught_signals(int) override { return 0; }
  bool share_memory(int, int) override { return false; }
  std::unique_ptr<ThrottledTime> throttled_time(int) override;
  std::optional<std::string> descriptor_link(int, int) override { return descriptors; }
  bool is_non_blocking(int, int) override { return false; }
  DescriptorFacts descriptor(int, int fd) override { return facts[fd]; }
  std::optional<MachineClocks> clocks() override;

 private:
  const Thread* find(int tid) const;
};

// Samples find the call that the record shows.
class ScriptedSampler final : public ThreadSampler {
 public:
  explicit ScriptedSampler(contract::Segment& read, ScriptedProc& asked)
      : segment_(read), proc_(asked) {}

  unsigned taken = 0;
  std::function<void()> on_take;                  // once, while the thread is sampled
  std::shared_ptr<const ModuleMap> wait_modules;  // of the snapshots of waits
  std::optional<int> polled;                      // what polls of one descriptor wait for
  unsigned waits_interpreted = 0;
  bool fails = false;  // throws instead of giving samples or modules

  std::shared_ptr<Sample> take(std::optional<uint32_t> record, int pid, int tid) override;
  std::shared_ptr<const Sample> take_requested(uint32_t record, int pid, int tid) override;
  std::optional<Snapshot> take_wait(int, int, const CallView&) override;
  std::vector<InterpreterStack> interpreted_at_wait(int, int, const Snapshot&) override {
    ++waits_interpreted;
    return {};
  }
  std::optional<int> polled_descriptor(int, const CallView&) override { return polled; }
  std::optional<LockReading> awaited_lock(int, const CallInProgress& call) override;
  int lock_owner(int, const CallInProgress&) override { return 0; }
  bool is_able_to_block(int, const CallInProgress&) override { return true; }
  std::shared_ptr<const ModuleMap> modules(int, RemoteAddress) override;
  void forget(int) override {}

  std::map<uint64_t, int> owners;  // of locks, by address

 private:
  contract::Segment& segment_;
  ScriptedProc& proc_;
};

class ScriptedLoop;

class ScriptedTarget final : public DetectorInput {
 public:
  static constexpr int kPid = 100;

  ScriptedTarget();
  ~ScriptedTarget() override;
  ScriptedTarget(const ScriptedTarget&) = delete;
  ScriptedTarget& operator=(const ScriptedTarget&) = delete;

  contract::Segment& segment() override { return *segment_; }
  Clock& clock() override { return clock_; }
  ProcSource& proc() override { return proc_; }
  ThreadSampler& sampler() override { return *sampler_; }
  void begin_poll() override {}

  // A thread with the record of this index; its tid is kPid + index.
  contract::ThreadRecord& thread(uint32_t index);
  void exit_thread(uint32_t index);
  // The event of the call that the loop's thread is in, which ends now.
  void publish_slow_call(const ScriptedLoop& loop, intercept::Function function,
                         uint64_t call_site);
  static int tid_of(uint32_t index) { return kPid + static_cast<int>(index); }

  ScriptedClock clock_;
  ScriptedProc proc_;
  std::unique_ptr<ScriptedSampler> sampler_;

 private:
  friend class ScriptedLoop;
  void publish(const contract::Event& event);

  contract::Segment* segment_;
  uint64_t ring_head_ = 0;
};

// A thread that runs an event loop, as its record shows it.
class ScriptedLoop {
 public:
  static constexpr uint64_t kOuterStack = 0x7000;

  // An epoll of this descriptor, waited for at this depth of the stack.
  ScriptedLoop(ScriptedTarget& target, uint32_t record, unsigned place = 0, int fd = 5,
               uint64_t stack_pointer = kOuterStack);

  void begin_iteration();  // the wait for events returns
  void end_iteration();    // it is entered again
  // What is known as an idle wait is over, which was entered at this tick.
  void end_idle_wait(uint64_t entered);
  void lose_iteration();  // the same, but the event is lost
  void iterate(unsigned times, Nanoseconds each);
  // The thread is in a call of its callback.
  void enter(intercept::Function function, uint64_t call_site, uint64_t stack_pointer = 0x6000,
             uint64_t argument = 0);
  void leave();

  contract::ThreadRecord& record() const { return record_; }
  contract::WaitSite& site() const { return record_.wait_sites[place_]; }

 private:
  void enter_wait();
  void count_iteration(uint64_t end);
  void publish_if_long(uint64_t begin, uint64_t end);

  ScriptedTarget& target_;
  uint32_t index_;
  contract::ThreadRecord& record_;
  unsigned place_;
};

// Session detection over a scripted target, polled by hand.
class ScriptedDetection {
 public:
  explicit ScriptedDetection(ScriptedTarget& target, ObserverSettings settings = {});

  // Lets time pass, polled at the interval of the threshold.
  void run(Nanoseconds length);
  void poll() { detection.poll(); }

  // What was emitted of one kind, in order.
  template <typename Seen>
  std::vector<Seen> all() const {
    std::vector<Seen> found;
    for (const Observation& one : observations) {
      if (const auto* seen = std::get_if<Seen>(&one)) found.push_back(*seen);
    }
    return found;
  }

  ScriptedTarget& target;
  Verdicts verdicts;
  std::vector<Observation> observations;
  SessionDetection detection;
};

}  // namespace tailback
