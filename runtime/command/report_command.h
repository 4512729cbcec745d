// `tailback report`: sums recorded runs up.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tailback {

// What the recordings are that this subcommand and `tailback baseline` read.
inline constexpr char kRecordingsHelp[] =
    "Recordings that 'tailback run --json FILE' wrote, plain or gzip'd; a directory stands for its "
    "*.jsonl and *.jsonl.gz; - is standard input";

struct ReportOptions {
  std::vector<std::string> files;  // files, directories, "-" for standard input
  bool json = false;               // one JSON object in place of tables
};

// Declares the subcommand; parsing fills `options`, which must outlive the parsing.
CLI::App* add_report_command(CLI::App& app, ReportOptions& options);

// Prints the summary on standard output and what is wrong with the recordings on standard error.
// The exit status: 0, or 1 if a file could not be read, is no recording, or is damaged, or if the
// summary could not be written. What can be read is summed up all the same.
int report_command(const ReportOptions& options);

}  // namespace tailback
