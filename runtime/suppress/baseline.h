// Recordings turned into rules that suppress all of their findings.
#pragma once

#include <map>
#include <string>

#include "runtime/report/blocking_call_tally.h"
#include "runtime/report/culprit_tally.h"
#include "runtime/report/run_reader.h"

namespace tailback {

// Takes runs from a RunReader.
class Baseline final : public RunSink {
 public:
  void report(const Record& record) override;
  void cut_short() override {}

  // Culprits beyond those that a CulpritTally keeps apart have no rule.
  uint64_t stalls_without_rule() const { return final_.others().count; }
  // A file for --suppressions: one rule per culprit, most total time first, each below a comment
  // that says how often it was seen, how long, and what it is.
  std::string text() const;

 private:
  CulpritTally final_;
  // A stall in progress may look otherwise than it does in the end, and is suppressed too.
  CulpritTally ongoing_;
  std::map<std::string, std::string> findings_;  // what it is, by fingerprint
  BlockingCallTally blocking_calls_;             // each twice: as it was seen, and as a sum
};

}  // namespace tailback
