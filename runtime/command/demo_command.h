// `tailback demo`: runs one of the demos under tailback, and says what must be reported.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/command/demo_catalogue.h"
#include "runtime/command/options.h"

namespace CLI {
class App;
}

namespace tailback {

struct DemoOptions {
  std::string name;
  bool list = false;
};

// Its options are added to the arguments; those of an observer are the caller's to add.
CLI::App* add_demo_command(CLI::App& app, DemoOptions& options);

// Where demos are, from the directory that holds bin/: in the build tree programs are in bin/
// itself, in an installed one in libexec/tailback/demos; sources in share/tailback/demos.
struct DemoPlaces {
  std::filesystem::path sources;
  std::filesystem::path programs;
};
DemoPlaces demo_places(const std::filesystem::path& prefix);

// What to execute. Throws LaunchError if it is not there, or there is no python3.
std::vector<std::string> demo_command_line(const Demo& demo, const DemoPlaces& places);

// Options that the demo asks for, as a config file would give them.
ConfigValues demo_config(const Demo& demo);

// Runs it, or prints the list. `flags` as in observer_options(). Returns an exit status, if nothing
// was run. Throws LaunchError.
int demo_command(const DemoOptions& options, const std::map<std::string, std::string>& flags);

}  // namespace tailback
