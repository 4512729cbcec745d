// Measures a program as a whole while it runs: looks at all threads of all its processes many times
// a second, from outside. What it reads is the segment and /proc: the program pays nothing beyond
// what being watched costs. Has a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/advise/process_lifetimes.h"
#include "runtime/advise/program_clock.h"
#include "runtime/advise/thread_clock.h"
#include "runtime/interpreters/list.h"
#include "runtime/kernel/cpu_quota.h"
#include "runtime/segment/record_view.h"
#include "runtime/segment/session.h"
#include "runtime/segment/tick_clock.h"
#include "runtime/values/assessment.h"

namespace tailback {

class ProgramWatch {
 public:
  // `session` must outlive it. `threshold`: of the session.
  ProgramWatch(const Session& session, Nanoseconds threshold);
  ~ProgramWatch();

  void start();
  void stop();

  // After stop(): all but what stalls and locks say.
  Measurement measured() const;

 private:
  struct Thread {
    uint32_t generation = 0;
    int pid = 0;
    int tid = 0;
    bool is_loop = false;
    std::optional<ThreadClock> clock;
    // The call that it was in at the last look, and what that was.
    CallView call;
    std::optional<Activity> activity;
    bool counted = false;  // what a loop waits for in that call
    uint64_t stack_pointer = 0;
    uint64_t seen = 0;  // the number of the last look that found it
  };
  struct Process {
    std::string_view interpreter = "none";
    std::optional<ExecutableFile> executable;
    uint64_t threads = 0;           // at the last look
    uint64_t measured_threads = 0;  // when their stacks were last measured
    Nanoseconds on_cpu{};           // of threads that have ended
    Nanoseconds life{};
    std::set<int> unrecorded;  // threads without a record
    std::shared_ptr<const ModuleMap> modules;
  };

  void run();
  void look(Nanoseconds time);
  void poll_record(uint32_t index, Nanoseconds time, ProgramClock::Look& found);
  void forget_unrecorded(int pid, int tid);
  void poll_unrecorded(int pid, int tid, Nanoseconds time, ProgramClock::Look& found);
  // What a thread is blocked in; nothing if it runs or is ready to.
  std::optional<Activity> activity(const contract::ThreadRecord& record, Thread& thread,
                                   const std::optional<CallView>& call);
  std::optional<Activity> activity_in_kernel(Thread& thread);
  bool waits_for_interpreter(const Thread& thread, const CallView& call);
  // The kernel's counters.
  void take(Thread& thread, const ScheduleTimes& times);
  void account(Thread& thread, Nanoseconds time, std::optional<Activity> activity, bool is_new,
               ProgramClock::Look& found);
  void poll_loop(const contract::ThreadRecord& record, Thread& thread);
  void poll_processes();
  void poll_stacks(int pid, Process& process);
  void retire(const Thread& thread);
  ScheduleTimes reading_before(int tid, const ScheduleTimes& now) const;

  const contract::Segment& segment_;
  TickClock clock_;
  uint64_t threshold_ticks_;
  ProcessLifetimes lives_;
  ProgramClock program_;
  Interpreters interpreters_;
  std::map<uint32_t, Thread> threads_;                // by record
  std::map<std::pair<int, int>, Thread> unrecorded_;  // by pid and tid
  std::map<int, Process> processes_;
  std::map<int, ScheduleTimes> last_readings_;  // of threads that may come back with a new record
  std::map<std::pair<int, uint64_t>, bool>
      conditions_;  // pid, address: whether it is an interpreter's lock
  std::vector<Nanoseconds> on_cpu_of_threads_;
  std::map<intercept::Function, Nanoseconds> loop_calls_;
  std::optional<CpuQuota> quota_;
  Measurement measured_;
  uint64_t polls_ = 0;
  Nanoseconds wanted_{};  // CPU time that threads had or waited for, since the look before
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
