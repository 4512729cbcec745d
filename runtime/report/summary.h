// Recorded runs summed up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "runtime/report/blocking_call_tally.h"
#include "runtime/report/culprit_tally.h"
#include "runtime/report/run_reader.h"
#include "runtime/report/summary_text.h"
#include "runtime/values/session.h"

namespace tailback {

// Takes runs from a RunReader. Only final lines count; of a run without an end record, so do the
// stalls that were still going on in it.
class Summary final : public RunSink {
 public:
  void session(const SessionStart& start) override;
  void stall(const Stall& stall) override;
  void blocking_call(const BlockingCall& blocking_call) override;
  void deadlock(const Deadlock& deadlock) override;
  void lock_order(const LockOrder& order) override;
  void never_awaited(const NeverAwaited& never_awaited) override;
  void race(const Race& race) override;
  void contention(const Contention& contention) override;
  void assessment(const Assessment& assessment) override;
  void end(const SessionEnd& end) override;
  void cut_short() override;

  uint64_t runs() const { return runs_; }
  uint64_t runs_without_end() const { return runs_without_end_; }
  // Of the runs that have an end record.
  Nanoseconds duration() const { return duration_; }
  const Losses& losses() const { return losses_; }
  const CulpritTally& culprits() const { return tally_; }
  // In one run, one entry per loop. In several, loops of one process name, thread name, wait and
  // descriptor are put together, for their process ids mean nothing.
  std::vector<LoopSummary> loops() const;

  std::string text() const;
  // One object, as FORMAT.md describes it, and a newline.
  std::string json() const;

 private:
  // The first that was seen of those that are alike, and how many there were.
  template <typename Value>
  struct Counted {
    Value first;
    uint64_t count = 0;
  };
  template <typename Value>
  using FirstOfEach = std::map<std::string, Counted<Value>>;  // by fingerprint

  // Kinds beyond `most` are left out.
  template <typename Value>
  void count(FirstOfEach<Value>& all, size_t most, const Value& value);
  std::vector<Contention> contentions() const;  // most time first
  void begin_run();
  void end_run();

  uint64_t runs_ = 0;
  uint64_t runs_without_end_ = 0;
  bool in_run_ = false;
  Nanoseconds duration_{};
  Nanoseconds longest_hold_{};
  Losses losses_;
  uint64_t suppressed_ = 0;
  Nanoseconds suppressed_time_{};
  CulpritTally tally_;
  BlockingCallTally blocking_calls_;
  FirstOfEach<Deadlock> deadlocks_;
  BlockingCallTally blocking_calls_seen_;          // of the run in progress, should it have no end
  std::unordered_map<uint64_t, Stall> ongoing_;    // of the run in progress, by id
  std::vector<LoopStatistics> loops_;              // of the first run
  std::map<std::string, Contention> contentions_;  // by what tells a lock, across runs
  ContentionCounts contention_counts_;
  std::vector<Assessment> assessments_;  // one of each run of `tailback advise`
  FirstOfEach<LockOrder> lock_orders_;
  FirstOfEach<NeverAwaited> never_awaited_;
  FirstOfEach<Race> races_;
  using LoopKey = std::tuple<std::string, std::string, std::string, int>;
  std::map<LoopKey, LoopSummary> merged_loops_;
};

}  // namespace tailback
