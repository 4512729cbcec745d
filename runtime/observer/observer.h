// The observer: watches the records of a session's targets and reports stalls. It works in two
// threads of its own: the watcher samples, captures and never waits for a disk; the analysis
// unwinds, symbolizes, explains and calls the reporter.
#pragma once

#include <memory>
#include <optional>

#include "runtime/detectors/settings.h"
#include "runtime/explain/culprit.h"
#include "runtime/report/reporter.h"
#include "runtime/segment/session.h"
#include "runtime/values/session.h"

namespace tailback {

// How the command of `tailback run` ended.
struct CommandOutcome {
  std::optional<int> exit_status;
  std::optional<int> signal;
};

class Observer {
 public:
  // `session` and `reporter` must outlive the observer. All calls to `reporter` come from the
  // analysis thread.
  Observer(Session& session, const ObserverSettings& settings, Reporter& reporter);
  ~Observer();

  // Tells recorders the threshold and starts both threads. Call it before the first target runs.
  void start(const SessionStart& start);

  // Blocks until every process of the session has ended (a bare preload), or for ever if none
  // ever attaches within `patience`: then it returns too.
  void wait_until_targets_end(Nanoseconds patience = std::chrono::seconds(10));

  // Has the reporter told how things stand, soon. Safe from any thread.
  void report_status();

  // Reads what is left, ends the stalls that are still open, writes the end record, stops.
  void finish(const CommandOutcome& outcome);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailback
