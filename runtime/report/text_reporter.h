// The report for people. A culprit is reported in full the first time, then in one line with its
// count; a stall that lasts is reported again, and once more when it ends; the end sums up.
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/report/blocking_call_tally.h"
#include "runtime/report/culprit_tally.h"
#include "runtime/report/report_file.h"
#include "runtime/report/reporter.h"
#include "runtime/report/text_style.h"

namespace tailback {

class TextReporter final : public Reporter {
 public:
  // Reports beyond this many in a minute are suppressed and counted; the summary has their stalls.
  // So are those of one culprit beyond Options::reports_per_culprit.
  static constexpr unsigned kReportsPerMinute = 60;
  static constexpr unsigned kReportsPerCulprit = 10;

  struct Options {
    std::string file;                                   // empty: standard error
    bool whole_stacks = false;                          // do not shorten stacks
    unsigned reports_per_culprit = kReportsPerCulprit;  // in a minute
  };

  // Colours if it writes to a terminal and NO_COLOR is unset or empty. Throws ReportFileError.
  explicit TextReporter(const Options& options,
                        const ReportFile::Complain& complain = ReportFile::say_on_standard_error);
  // For tests: writes to any spdlog sink, one message per report.
  TextReporter(spdlog::sink_ptr sink, TextStyle style, bool announce_session,
               unsigned reports_per_culprit = kReportsPerCulprit);

  void report(const Record& record) override;

 private:
  void print(const SessionStart& start);
  void print(const Stall& stall);
  void print(const Note& note);
  void print(const BlockingCall& blocking_call);
  void print(const Contention& contention);
  void print(const SessionStatus& status);
  void print(const SessionEnd& end);
  // Findings that are reported once for each place.
  void print_finding(const Record& record);

  struct CulpritMinute {
    std::string name;  // for people
    unsigned reports = 0;
    uint64_t suppressed = 0;
  };

  // Whether the limits leave room for a report of the stall at this time. A report that is
  // suppressed is counted.
  bool admit(const Stall& stall, WallTime time);
  // Whether the limit of all reports does. What finds no room is counted.
  bool has_room(WallTime time);
  // The same; takes it.
  bool take_room(WallTime time);
  void print_suppressed();
  void print_text(const std::string& text);
  // The report of a stall in the form that fits what was reported before.
  std::string text_of(const Stall& stall);

  TextStyle style_;
  bool announce_session_ = false;
  std::shared_ptr<spdlog::logger> logger_;

  Nanoseconds threshold_{};
  CulpritTally tally_;
  BlockingCallTally blocking_calls_;
  std::vector<Contention> contentions_;
  std::unordered_set<std::string> reported_in_full_;               // culprit keys
  std::unordered_map<uint64_t, std::string> reported_as_ongoing_;  // stall id → culprit key

  unsigned reports_per_culprit_ = kReportsPerCulprit;
  WallTime minute_begin_;
  std::map<std::string, CulpritMinute> culprits_in_this_minute_;  // by culprit key
  unsigned in_this_minute_ = 0;
  uint64_t suppressed_ = 0;
};

}  // namespace tailback
