#include "runtime/command/report_command.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "runtime/report/run_reader.h"
#include "runtime/report/summary.h"

namespace tailback {
namespace {

void say(const std::string& line) {
  std::fprintf(stderr, "tailback: %s\n", line.c_str());
}

bool print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return true;
  }
  say(std::string("can't write the summary to standard output: ") + std::strerror(errno));
  return false;
}

}  // namespace

CLI::App* add_report_command(CLI::App& app, ReportOptions& options) {
  CLI::App* const command = app.add_subcommand(
      "report",
      "Sum recorded runs up: per culprit count, total and longest; per loop turns, busy "
      "share and percentiles");
  command
      ->add_option("FILE", options.files,
                   "Recordings that 'tailback run --json FILE' wrote, plain or gzip'd; a directory "
                   "stands for its *.jsonl and *.jsonl.gz; - is standard input")
      ->required();
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
  const bool printed = reader.runs() == 0 || print(options.json ? summary.json() : summary.text());
  return reader.sound() && printed ? 0 : 1;
}

}  // namespace tailback
