// Recordings turned into rules that keep all of their stalls back.
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
  void session(const SessionStart&) override {}
  void stall(const Stall& stall) override;
  void blocking_call(const BlockingCall& blocking_call) override {
    blocking_calls_.add(blocking_call);
  }
  void deadlock(const Deadlock& deadlock) override;
  void lock_order(const LockOrder& order) override;
  void race(const Race& race) override;
  void never_awaited(const NeverAwaited& never_awaited) override;
  void end(const SessionEnd&) override {}
  void cut_short() override {}

  // Culprits beyond those that a CulpritTally keeps apart have no rule.
  uint64_t stalls_without_rule() const { return final_.others().count; }
  // A file for --suppressions: one rule per culprit, most total time first, each below a comment
  // that says how often it was seen, how long, and what it is.
  std::string text() const;

 private:
  // Of what is known by its fingerprint alone; `what` is for people.
  void add(const std::string& fingerprint, std::string what);

  CulpritTally final_;
  // A stall in progress may look otherwise than it does in the end, and must be kept back too.
  CulpritTally ongoing_;
  std::map<std::string, std::string> findings_;  // what it is, by fingerprint
  BlockingCallTally blocking_calls_;             // each twice: as it was seen, and as a sum
};

}  // namespace tailback
