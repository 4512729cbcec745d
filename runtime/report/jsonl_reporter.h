// Writes a session as JSON Lines: one record per line, each with one write(2) as soon as it is
// known, so that a crash leaves at most a cut last line. FORMAT.md describes the fields.
#pragma once

#include <string>

#include "runtime/report/report_file.h"
#include "runtime/report/reporter.h"
#include "runtime/values/assessment.h"

namespace tailback {

class JsonlReporter final : public Reporter {
 public:
  // "-" is standard output. Throws ReportFileError.
  explicit JsonlReporter(const std::string& path,
                         ReportFile::Complain complain = ReportFile::say_on_standard_error);

  void session(const SessionStart& start) override;
  void stall(const Stall& stall) override;
  void note(const Note& note) override;
  void blocking_call(const BlockingCall& blocking_call) override;
  void deadlock(const Deadlock& deadlock) override;
  void lock_order(const LockOrder& order) override;
  void never_awaited(const NeverAwaited& never_awaited) override;
  void race(const Race& race) override;
  void contention(const Contention& contention) override;
  void status(const SessionStatus& status) override;
  void end(const SessionEnd& end) override;
  // Of `tailback advise`: before the end.
  void assessment(const Assessment& assessment);

  const ReportFile& file() const { return file_; }

 private:
  ReportFile file_;
};

}  // namespace tailback
