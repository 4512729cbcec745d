// tailback: names what blocks an event loop.
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "runtime/command/advise_command.h"
#include "runtime/command/baseline_command.h"
#include "runtime/command/calls_command.h"
#include "runtime/command/command_line.h"
#include "runtime/command/config_file.h"
#include "runtime/command/demo_command.h"
#include "runtime/command/help_markdown.h"
#include "runtime/command/observe_command.h"
#include "runtime/command/options.h"
#include "runtime/command/report_command.h"
#include "runtime/command/run_command.h"
#include "runtime/launch/launch_error.h"

namespace tailback {
namespace {

// A standard descriptor that is closed would be given to the next file, and that file take what is
// meant for a terminal. The command gets its descriptors as they were: these close on exec.
void occupy_standard_descriptors() {
  int fd = 0;
  do {
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (app->get_name() == "run" || app->get_name() == "advise") {
      return "Usage: " + name + " [OPTIONS] -- CMD [ARG...]\n";
    }
    return CLI::Formatter::make_usage(app, name);
  }
};

std::string help_of(const ObserverOption& option) {
  std::string help(option.help);
  help += fmt::format(" [{}", option.variable);
  if (!option.value_name.empty() && !option.default_value.empty()) {
    help += fmt::format("; default {}", option.default_value);
  }
  return help + "]";
}

using Flags = std::map<std::string, std::string>;

// As a flag of this name; the value goes where that of its own name does.
CLI::Option* add_observer_option(CLI::App& app, Flags& flags, const ObserverOption& option,
                                 std::string_view name) {
  const std::string flag(option.flag);
  if (option.value_name.empty()) {
    return app.add_flag_callback(
        std::string(name), [&flags, flag] { flags[flag] = "1"; }, help_of(option));
  }
  CLI::Option* const added =
      app.add_option_function<std::string>(
             std::string(name), [&flags, flag](const std::string& value) { flags[flag] = value; },
             help_of(option))
          ->type_name(std::string(option.value_name))
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return option.is_list() ? added->join(',') : added;
}

void add_observer_options(CLI::App& app, Flags& flags) {
  for (const ObserverOption& option : observer_option_table()) {
    CLI::Option* const added = add_observer_option(app, flags, option, option.flag);
    if (option.is_hidden) added->group("");
    if (!option.old_flag.empty()) {
      add_observer_option(app, flags, option, option.old_flag)->group("");  // in no help
    }
  }
}

int run_tailback(const std::vector<std::string>& arguments) {
  const CommandLine line = split_command_line(arguments);
  CLI::App app("Names what blocks an event loop, in programs as they are shipped.", "tailback");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", "tailback " TAILBACK_VERSION, "Print the version and exit");

  Flags flags;
  CLI::App* run = app.add_subcommand("run", "Run a command and report what blocks its event loops");
  add_observer_options(*run, flags);
  run->footer(
      "The exit status is the command's own; with --fail-on that of --exitcode once what it names "
      "was\n"
      "reported, or 125 if that is not known; 125 if tailback can't observe the command, 126 if "
      "it\n"
      "can't be executed, 127 if there is no such program.");

  CLI::App* advise = app.add_subcommand(
      "advise",
      "Run a command and say what slows it down, and whether threads, an event loop or "
      "processes fit it");
  add_observer_options(*advise, flags);
  advise->footer(
      "Options and exit status are those of 'tailback run'. The text names the worst stall only, "
      "the\nJSON all of them.");

  ReportOptions report_options;
  const CLI::App* report = add_report_command(app, report_options);

  BaselineOptions baseline_options;
  const CLI::App* baseline = add_baseline_command(app, baseline_options);

  DemoOptions demo_options;
  CLI::App* demo = add_demo_command(app, demo_options);
  add_observer_options(*demo, flags);

  const CLI::App* calls = app.add_subcommand("calls", "List the functions that are intercepted");

  std::string session;
  CLI::App* observe = app.add_subcommand("observe", "Observe a session that a recorder has begun");
  observe->add_option("--session", session, "Path of its segment")->required();
  observe->group("");

  bool markdown = false;
  app.add_flag("--help-markdown", markdown, "Print all options as Markdown")->group("");

  try {
    std::vector<std::string> reversed(line.own.rbegin(), line.own.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    throw LaunchError(kTailbackFailed, std::string(error.what()) + "; see 'tailback --help'");
  }

  if (markdown) {
    fmt::print("{}", help_markdown(app));
    return EXIT_SUCCESS;
  }
  if (app.get_subcommands().empty()) {
    throw LaunchError(kTailbackFailed, "no subcommand; see 'tailback --help'");
  }
  if (*report) return report_command(report_options);
  if (*baseline) return baseline_command(baseline_options);
  if (*calls) return calls_command();
  if (*demo) return demo_command(demo_options, flags);
  const Environment environment = [](const char* name) { return std::getenv(name); };
  const std::string named_config = config_named(flags, environment);
  // A preloaded program's directory says nothing of what its user wants.
  ConfigValues config;
  if (*run || *advise || !named_config.empty()) config = read_config(named_config);
  const ObserverOptions options = observer_options(flags, environment, config);
  if (*observe) {
    observe_command(options, session);
    return EXIT_SUCCESS;
  }
  if (line.command.empty()) {
    throw LaunchError(
        kTailbackFailed,
        fmt::format("no command to run; give it after '--': tailback {} -- CMD [ARG...]",
                    *advise ? "advise" : "run"));
  }
  if (*advise) advise_command(options, line.command);
  run_command(options, line.command);
}

}  // namespace
}  // namespace tailback

// A recorder that finds this name in the program knows that it was preloaded into Tailback itself
// (LD_PRELOAD exported in a shell), and stays out.
extern "C" __attribute__((visibility("default"), used)) void tailback_observer_process() {}

int main(int argc, char** argv) {
  tailback::occupy_standard_descriptors();
  try {
    return tailback::run_tailback({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const tailback::LaunchError& error) {
    fmt::print(stderr, "tailback: {}\n", error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    fmt::print(stderr, "tailback: {}\n", error.what());
    return tailback::kTailbackFailed;
  }
}
