#include "runtime/command/reporters.h"

#include "runtime/command/deadlock_abort.h"
#include "runtime/report/fan_out_reporter.h"
#include "runtime/report/jsonl_reporter.h"
#include "runtime/report/text_reporter.h"
#include "runtime/suppress/rules_file.h"

namespace tailback {

std::vector<Rule> suppressions(const ObserverOptions& options) {
  if (options.suppressions.empty()) return {};
  return read_rules(options.suppressions);
}

std::unique_ptr<Reporter> make_reporters(const ObserverOptions& options) {
  auto reporters = std::make_unique<FanOutReporter>();
  if (!options.json.empty()) reporters->add(std::make_unique<JsonlReporter>(options.json));
  if (!options.quiet) {
    TextReporter::Options text;
    text.file = options.log;
    text.reports_per_culprit = options.max_reports;
    reporters->add(std::make_unique<TextReporter>(text));
  }
  if (options.abort_on_deadlock) reporters->add(std::make_unique<DeadlockAbort>());
  return reporters;
}

}  // namespace tailback
