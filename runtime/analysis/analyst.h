// The analyst: turns observations into records. It unwinds, symbolizes, decides the cause,
// picks the stack to blame, and calls the reporter. Its own thread takes observations in order of
// arrival.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/analysis/loop_ends.h"
#include "runtime/detectors/observation.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class Analyst {
 public:
  Analyst(Reporter& reporter, CulpritRule rule, Verdicts& verdicts);
  ~Analyst();

  void start(const SessionStart& start);
  // Safe from any thread; never waits for the analysis of an earlier one.
  void take(Observation observation);
  // Works off what has been taken, writes the end record and stops the thread. The counts of stalls
  // in `end` are filled in here.
  void finish(SessionEnd end);

 private:
  struct ReadSample {
    const WeighedSample* observed = nullptr;
    std::vector<Frame> stack;
    size_t culprit = 0;
    bool complete = false;
    std::string note;  // what limits it
  };

  void post(std::function<void()> work);
  void run();
  void analyse(const StallSeen& observation);
  void analyse(const BlockingCallSeen& observation);
  void analyse(const LoopWaitSeen& observation);
  void analyse(const IdleWaitSeen& observation);
  void analyse(const DeadlockSeen& observation);
  void analyse(const LockOrderSeen& observation);
  void analyse(const ContentionSeen& observation);
  void analyse(const FindingSeen& observation);
  void analyse(const NoteSeen& observation);
  void analyse(const StatusSeen& observation);
  // What is left of an observation without the time in which the thread, a worker of a pool, had
  // no work; nothing if that is no stall.
  std::optional<StallSeen> without_idle_waits(const StallSeen& observation);
  // What is left of an observation without the time since its loop was over; nothing if that is no
  // stall. analyst_loop_ends.cc.
  std::optional<StallSeen> without_loop_end(const StallSeen& observation);
  bool is_after_loop(const StallSeen& observation, const Sample& sample);
  bool is_at_exit(const StallSeen& observation, const Sample& sample);
  Nanoseconds over_since(const StallSeen& observation, Nanoseconds seen);
  void note_loop_end(const StallSeen& observation, Nanoseconds length);
  void report(const StallSeen& observation);
  // The whole stack of a sample that has a snapshot, and the frame to blame.
  ReadSample read_sample(int pid, const Sample& observed);
  std::vector<ReadSample> read_samples(const StallSeen& observation);
  // Most time first.
  static std::vector<SampledStack> distinct_stacks(const std::vector<ReadSample>& samples);
  // The sample whose stack is to blame, or nullptr.
  const ReadSample* choose(const std::vector<ReadSample>& samples, Cause cause) const;
  // Of locks and who holds them: analyst_locks.cc.
  std::string lock_name(int pid, const ModuleMap& modules, const LockReading& lock);
  Lock lock_of(int pid, const Sample& waiter, const LockReading& lock);
  LockOwner owner_of(const Sample& waiter, int waiter_pid, const OwnerSample& look);
  void name_lock(int pid, const Sample& sample, BlockedCall& call);
  void add_owners(int pid, const Sample& sample, Stall& stall);
  // Of coroutines that were never awaited: analyst_never_awaited.cc.
  std::optional<NeverAwaited> read_never_awaited(const FindingSeen& observation);
  void report_never_awaited(const FindingSeen& observation);
  void report_race(const FindingSeen& observation);
  // Said of one stall of a process, in all its lines.
  void add_missing_names(const StallSeen& observation, const std::vector<ReadSample>& samples,
                         Stall& stall);
  void blame(const StallSeen& observation, const std::vector<ReadSample>& samples, Stall& stall);

  Reporter& reporter_;
  Verdicts& verdicts_;
  StackReader reader_;
  LoopEnds loop_ends_;
  // The age at which the loop of an iteration in progress was over, at the latest.
  std::map<IterationId, Nanoseconds> over_since_;
  std::set<std::pair<int, uint64_t>> loop_ends_reported_;  // pid, the wait
  std::set<uint64_t> open_;                                // reported as ongoing, not yet as ended
  WallTime begin_;
  std::set<std::pair<int, std::string>> unreadable_reported_;         // pid, interpreter
  std::map<std::pair<int, std::string>, uint64_t> missing_reported_;  // pid, why: the stall
  uint64_t stalls_ = 0;
  uint64_t deadlocks_ = 0;
  std::map<std::string, uint64_t> races_;  // how often, by fingerprint
  RaceCounts race_counts_;
  std::set<int> handed_over_;            // pids that findings came from
  std::set<std::string> never_awaited_;  // fingerprints
  NeverAwaitedCounts never_awaited_counts_;
  Nanoseconds stalled_{};
  uint64_t failures_ = 0;  // observations that could not be analysed

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tailback
