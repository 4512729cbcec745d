#include "runtime/command/baseline_command.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>

#include "runtime/command/report_command.h"
#include "runtime/command/standard_output.h"
#include "runtime/report/run_reader.h"
#include "runtime/suppress/baseline.h"

namespace tailback {

CLI::App* add_baseline_command(CLI::App& app, BaselineOptions& options) {
  CLI::App* const command = app.add_subcommand(
      "baseline", "Make a suppressions file of all that was recorded: one rule per culprit");
  command->add_option("FILE", options.files, kRecordingsHelp)->required();
  command->footer(
      "Use: tailback baseline RUN.jsonl > known.supp\n"
      "     tailback run --suppressions known.supp --fail-on new -- CMD [ARG...]\n"
      "Exit status: 0, or 1 if a file can't be read, is no recording, or has damaged lines.\n"
      "The others have their rules all the same.");
  return command;
}

int baseline_command(const BaselineOptions& options) {
  Baseline baseline;
  RunReader reader(baseline, say);
  for (const std::string& file : options.files) reader.read(file);
  if (reader.runs() == 0) return 1;
  if (baseline.stalls_without_rule() > 0) {
    say(fmt::format("too many culprits: {} stalls have no rule; read fewer recordings at a time",
                    baseline.stalls_without_rule()));
  }
  if (!print(baseline.text(), "the rules")) return 1;
  return reader.sound() && baseline.stalls_without_rule() == 0 ? 0 : 1;
}

}  // namespace tailback
