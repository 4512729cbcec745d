// Stands in front of a reporter and suppresses what the rules match. The end record counts what
// each rule matched.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "runtime/report/reporter.h"
#include "runtime/suppress/rule.h"

namespace tailback {

// A stall that was reported while it went on is reported to its end whatever it turns into, so that
// every ongoing record has its final one.
class SuppressingReporter final : public Reporter {
 public:
  // `behind` must outlive this.
  SuppressingReporter(std::vector<Rule> rules, Reporter& behind);

  void report(const Record& record) override;

  // Findings that were reported of the kinds that --fail-on calls so: stalls that still go on among
  // them, blocking calls one by one. Any thread may ask.
  uint64_t reported(std::string_view fail_on) const;

 private:
  // Whether a rule matches. Counts for every rule that does, if `counts`.
  bool is_known(const Record& record, bool counts);
  // Whether the record goes on to the reporter behind.
  bool passes(const Record& record);
  void report_end(SessionEnd end);

  Reporter& behind_;
  std::vector<Rule> rules_;
  std::vector<uint64_t> uses_;                      // by rule
  std::unordered_set<uint64_t> reported_and_open_;  // stall ids
  // By kind. What counts as another kind counts for both.
  std::array<std::atomic<uint64_t>, kRecordKinds.size()> reported_{};
  KindCounts suppressed_;
  Nanoseconds suppressed_time_{};
};

}  // namespace tailback
