// `tailback baseline`: a suppressions file from recordings.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tailback {

struct BaselineOptions {
  std::vector<std::string> files;  // as those of `tailback report`
};

// Declares the subcommand; parsing fills `options`, which must outlive the parsing.
CLI::App* add_baseline_command(CLI::App& app, BaselineOptions& options);

// Prints the rules on standard output and what is wrong with the recordings on standard error. The
// exit status: 0, or 1 if a recording or a part of one could not be read or the rules could not be
// written.
int baseline_command(const BaselineOptions& options);

}  // namespace tailback
