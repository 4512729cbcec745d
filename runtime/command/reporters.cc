#include "runtime/command/reporters.h"

#include "runtime/report/fan_out_reporter.h"
#include "runtime/report/jsonl_reporter.h"
#include "runtime/report/text_reporter.h"

namespace tailback {

std::unique_ptr<Reporter> make_reporters(const ObserverOptions& options) {
  auto reporters = std::make_unique<FanOutReporter>();
  if (!options.json.empty()) reporters->add(std::make_unique<JsonlReporter>(options.json));
  if (!options.quiet) {
    TextReporter::Options text;
    text.file = options.log;
    reporters->add(std::make_unique<TextReporter>(text));
  }
  return reporters;
}

}  // namespace tailback
