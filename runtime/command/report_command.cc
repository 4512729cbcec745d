#include "runtime/command/report_command.h"

#include <CLI/CLI.hpp>

#include "runtime/command/standard_output.h"
#include "runtime/report/run_reader.h"
#include "runtime/report/summary.h"

namespace tailback {

CLI::App* add_report_command(CLI::App& app, ReportOptions& options) {
  CLI::App* const command = app.add_subcommand(
      "report",
      "Sum recorded runs up: per culprit count, total and longest; per loop iterations, busy "
      "share and percentiles");
  command->add_option("FILE", options.files, kRecordingsHelp)->required();
  command->add_flag("--json", options.json, "One JSON object instead of tables");
  command->footer(
      "Exit status: 0, or 1 if a file can't be read, is no recording, or has damaged lines.\n"
      "The others are summed up all the same.");
  return command;
}

int report_command(const ReportOptions& options) {
  Summary summary;
  RunReader reader(summary, say);
  for (const std::string& file : options.files) reader.read(file);
  // Without a single run there is nothing to sum up; what is wrong has been said.
  const bool printed =
      reader.runs() == 0 || print(options.json ? summary.json() : summary.text(), "the summary");
  return reader.sound() && printed ? 0 : 1;
}

}  // namespace tailback
