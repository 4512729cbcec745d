#include "runtime/command/advise_command.h"

#include <unistd.h>

#include <memory>

#include "runtime/advise/loop_blockers.h"
#include "runtime/advise/program_watch.h"
#include "runtime/advise/verdict.h"
#include "runtime/command/deadlock_abort.h"
#include "runtime/command/run_command.h"
#include "runtime/report/assessment_text.h"
#include "runtime/report/deadlock_text.h"
#include "runtime/report/jsonl_reporter.h"
#include "runtime/report/report_file.h"

namespace tailback {
namespace {

// The recording has all that `tailback run` puts there, and the assessment; the text has the
// assessment, and deadlocks.
class AdvisingReporter final : public Reporter {
 public:
  AdvisingReporter(const ObserverOptions& options, Session& session)
      : watch_(session, options.threshold), aborts_(options.abort_on_deadlock) {
    if (!options.json.empty()) recording_ = std::make_unique<JsonlReporter>(options.json);
    if (options.quiet) return;
    text_ = options.log.empty() ? std::make_unique<ReportFile>(STDERR_FILENO, "standard error")
                                : std::make_unique<ReportFile>(options.log);
  }

  void report(const Record& record) override {
    if (std::holds_alternative<SessionStart>(record)) watch_.start();
    if (const auto* const stall = std::get_if<Stall>(&record)) {
      if (stall->state != StallState::kOngoing) troubles_.add(*stall);
    }
    if (const auto* const contention = std::get_if<Contention>(&record)) {
      if (lock_.empty()) lock_ = name_of(*contention);
    }
    // A deadlock will not end by itself, and nothing else matters.
    if (const auto* const deadlock = std::get_if<Deadlock>(&record); deadlock && text_) {
      text_->append(full_deadlock_text(*deadlock, {}));
    }
    if (const auto* const end = std::get_if<SessionEnd>(&record)) {
      watch_.stop();
      const Assessment assessment = assess(*end);
      if (text_) text_->append(assessment_text(assessment));
      if (recording_) recording_->report(assessment);
    }
    if (recording_) recording_->report(record);
    if (aborts_) DeadlockAbort().report(record);
  }

 private:
  Assessment assess(const SessionEnd& end) const {
    Assessment assessment;
    assessment.time = end.time;
    Measurement& measured = assessment.measured;
    measured = watch_.measured();
    measured.blocked_loop = troubles_.worst_call();
    measured.computing_loop = troubles_.worst_computing();
    measured.lock = lock_;
    const Losses& losses = end.losses;
    if (losses.threads + losses.processes + losses.programs > 0) measured.incomplete = true;
    assessment.verdict = judge(measured);
    return assessment;
  }

  // Where it is waited for says more than an address.
  static std::string name_of(const Contention& contention) {
    std::string name = contention.lock.name;
    if (contention.places.empty() || contention.places.front().frame.function.empty()) return name;
    const Frame& place = contention.places.front().frame;
    name = name.empty() ? "the one that " + place.function + " takes"
                        : name + ", which " + place.function + " takes";
    if (place.file.empty()) return name;
    return name + " (" + std::string(file_name(place.file)) + ":" + std::to_string(place.line) +
           ")";
  }

  ProgramWatch watch_;
  bool aborts_;
  LoopBlockers troubles_;
  std::string lock_;  // that was waited for longest; empty: not known
  std::unique_ptr<JsonlReporter> recording_;
  std::unique_ptr<ReportFile> text_;
};

}  // namespace

void advise_command(const ObserverOptions& options, const std::vector<std::string>& command) {
  run_command(options, command, [](const ObserverOptions& own, Session& session) {
    return std::make_unique<AdvisingReporter>(own, session);
  });
}

}  // namespace tailback
