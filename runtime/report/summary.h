// Recorded runs summed up.
#pragma once

#include <cstdint>
#include <functional>
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
  void report(const Record& record) override;
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
  void add(const SessionStart& start);
  void add(const Stall& stall);
  void add(const BlockingCall& blocking_call);
  void add(const Contention& contention);
  void add(const Assessment& assessment);
  void add(const SessionEnd& end);
  // Findings that are reported once for each place, of any kind. Places beyond the kind's cap are
  // left out.
  void add_finding(const Record& record);

  // The first that was seen of those that are alike, and how many there were.
  struct Counted {
    Record first;
    uint64_t count = 0;
  };
  using FirstOfEach = std::map<std::string, Counted, std::less<>>;  // by fingerprint
  const FirstOfEach& findings(RecordKind kind) const;

  std::vector<Contention> contentions() const;  // most time first
  void begin_run();
  void end_run();

  uint64_t runs_ = 0;
  uint64_t runs_without_end_ = 0;
  bool in_run_ = false;
  Nanoseconds duration_{};
  Nanoseconds longest_pause_{};
  Losses losses_;
  uint64_t suppressed_ = 0;
  Nanoseconds suppressed_time_{};
  CulpritTally tally_;
  BlockingCallTally blocking_calls_;
  BlockingCallTally blocking_calls_seen_;          // of the run in progress, should it have no end
  std::unordered_map<uint64_t, Stall> ongoing_;    // of the run in progress, by id
  std::vector<LoopStatistics> loops_;              // of the first run
  std::map<std::string, Contention> contentions_;  // by what tells a lock, across runs
  std::vector<Assessment> assessments_;            // one of each run of `tailback advise`
  std::map<RecordKind, FirstOfEach> findings_;
  using LoopKey = std::tuple<std::string, std::string, std::string, int>;
  std::map<LoopKey, LoopSummary> merged_loops_;
};

}  // namespace tailback
