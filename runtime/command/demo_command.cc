#include "runtime/command/demo_command.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "runtime/command/run_command.h"
#include "runtime/command/standard_output.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/preflight.h"
#include "runtime/launch/quoted_text.h"

namespace tailback {
namespace {

std::filesystem::path own_prefix() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    throw LaunchError(kTailbackFailed, "/proc/self/exe can't be read (" + error.message() +
                                           "), so the demos can't be found; mount /proc");
  }
  return own.parent_path().parent_path();
}

std::vector<Demo> demos_in(const DemoPlaces& places) {
  std::vector<Demo> demos = read_demos(places.sources);
  if (demos.empty()) {
    throw LaunchError(kTailbackFailed,
                      quoted_text(places.sources.string()) +
                          ": no demos there; build tailback with TAILBACK_BUILD_DEMOS=ON, or "
                          "install it again");
  }
  return demos;
}

std::string list_text(const std::vector<Demo>& demos) {
  size_t width = 0;
  for (const Demo& demo : demos) width = std::max(width, demo.name.size());
  std::string text;
  for (const Demo& demo : demos) text += fmt::format("{:{}}  {}\n", demo.name, width, demo.summary);
  return text;
}

std::string heading(const Demo& demo, const std::vector<std::string>& command) {
  std::string text = fmt::format("tailback: demo {}: {}\n  source    {}\n", demo.name, demo.summary,
                                 demo.source.string());
  text += "  runs      tailback run";
  for (const DemoLine& option : demo.options) text += " " + option.text;
  text += " --";
  for (const std::string& word : command) text += " " + word;
  text += '\n';
  const char* label = "expected";
  for (const DemoLine& report : demo.expected) {
    text += fmt::format("  {:8}  line {}: {}\n", label, report.line, report.text);
    label = "";
  }
  return text;
}

}  // namespace

CLI::App* add_demo_command(CLI::App& app, DemoOptions& options) {
  CLI::App* const command =
      app.add_subcommand("demo", "Run a demo under tailback, and say what must be reported of it");
  command->add_option("NAME", options.name, "The demo; 'tailback demo --list' names them all");
  command->add_flag("--list", options.list, "Print the names of the demos, and what each shows");
  return command;
}

DemoPlaces demo_places(const std::filesystem::path& prefix) {
  std::error_code error;
  // In the build tree a link to the sources themselves.
  const auto sources = prefix / "share" / "tailback" / "demos";
  const auto real_sources = std::filesystem::canonical(sources, error);
  const auto installed = prefix / "libexec" / "tailback" / "demos";
  return {error ? sources : real_sources,
          std::filesystem::is_directory(installed, error) ? installed : prefix / "bin"};
}

std::vector<std::string> demo_command_line(const Demo& demo, const DemoPlaces& places) {
  if (demo.is_python) {
    try {
      check_program("python3");
    } catch (const LaunchError& error) {
      throw LaunchError(error.exit_status(),
                        fmt::format("demo {}: is written in Python, and python3 can't be run: {}",
                                    demo.name, error.what()));
    }
    return {"python3", demo.source.string()};
  }
  std::string program = (places.programs / demo.name).string();
  if (access(program.c_str(), F_OK) != 0) {
    throw LaunchError(kNoSuchProgram,
                      fmt::format("demo {}: {}: is not built; build or install tailback again, "
                                  "with its demos",
                                  demo.name, quoted_text(program)));
  }
  return {program};
}

ConfigValues demo_config(const Demo& demo) {
  ConfigValues values;
  for (const DemoLine& option : demo.options) {
    const size_t equals = option.text.find('=');
    const std::string flag = option.text.substr(0, equals);
    values[flag] = {equals == std::string::npos ? "1" : option.text.substr(equals + 1),
                    fmt::format("{}:{}: {}", demo.source.string(), option.line, flag)};
  }
  return values;
}

int demo_command(const DemoOptions& options, const std::map<std::string, std::string>& flags) {
  const DemoPlaces places = demo_places(own_prefix());
  const std::vector<Demo> demos = demos_in(places);
  if (options.list) return print(list_text(demos), "the list") ? EXIT_SUCCESS : EXIT_FAILURE;
  if (options.name.empty()) {
    throw LaunchError(kTailbackFailed, "which demo? 'tailback demo --list' names them");
  }
  const auto demo = std::find_if(demos.begin(), demos.end(),
                                 [&](const Demo& one) { return one.name == options.name; });
  if (demo == demos.end()) {
    throw LaunchError(kTailbackFailed, quoted_text(options.name) +
                                           ": no such demo; 'tailback demo --list' names them");
  }
  const ObserverOptions observer = observer_options(
      flags, [](const char* name) { return std::getenv(name); }, demo_config(*demo));
  const std::vector<std::string> command = demo_command_line(*demo, places);
  if (!observer.quiet) {
    fmt::print(stderr, "{}", heading(*demo, command));
    std::fflush(stderr);
  }
  run_command(observer, command);
}

}  // namespace tailback
