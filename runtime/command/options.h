// The options of an observer. Each is one line of one table, and can be given as a flag of
// `tailback run`, as an environment variable or in a config file; a flag beats the variable, the
// variable the file, the file the default.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

struct ObserverOptions {
  Nanoseconds threshold{};
  std::string json;            // file for JSON Lines; "-" is standard output, empty: none
  std::string log;             // file for the text report; empty: standard error
  bool quiet = false;          // no text report
  std::string suppressions{};  // file of rules; empty: none
  bool fail_on_stall = false;  // `run` ends with `exitcode` once a stall was told
  int exitcode = 66;
  unsigned max_reports = 10;             // in the text, per culprit and minute
  std::string config{};                  // file; empty: none was named
  std::vector<std::string> loops{};      // patterns for the names of threads that run a loop
  std::vector<std::string> not_loops{};  // … and of those that run none
  bool fail_on_blocking_call = false;
  bool fail_on_deadlock = false;
  bool fail_on_race = false;
  bool fail_on_never_awaited = false;
  bool abort_on_deadlock = false;  // end the deadlocked process with SIGABRT
  bool blocking_calls = false;     // tell calls of loops that wait for longer than `slow_call`
  Nanoseconds slow_call = std::chrono::milliseconds(1);
  bool strict = false;                 // tell calls of loops that may block
  std::vector<std::string> own{};      // patterns of files whose functions are the program's own
  std::vector<std::string> library{};  // … and whose are a library's
  bool locks = false;                  // sum up waits for locks
  bool lock_order = false;             // look for orders of locks that can deadlock
  std::string record_observations{};   // file that gets all that detectors read; empty: none
  bool thread_sanitizer_text = false;  // read what ThreadSanitizer prints, and pass it on

  bool operator==(const ObserverOptions&) const = default;
};

struct ObserverOption {
  std::string_view flag;           // "--threshold"
  std::string_view variable;       // "TAILBACK_THRESHOLD"
  std::string_view value_name;     // "TIME"; empty: a flag that takes no value
  std::string_view default_value;  // as it would be given; empty: none
  std::string_view help;
  // Sets the option. Returns what is accepted, if `value` is not.
  std::string_view (*set)(ObserverOptions& options, std::string_view value);
  // May be given more than once. All values then stand in one, with commas between.
  bool is_list = false;
  // For those who work on Tailback: not in the help, and in no table of options.
  bool is_hidden = false;
};

std::span<const ObserverOption> observer_option_table();

// The value of an environment variable, or a null pointer.
using Environment = std::function<const char*(const char* name)>;

// A value from a config file.
struct ConfigValue {
  std::string value;
  std::string where;  // "FILE:LINE: KEY"
};
using ConfigValues = std::map<std::string, ConfigValue>;  // by flag

// The config file that --config or its variable names; empty: neither does.
std::string config_named(const std::map<std::string, std::string>& flags,
                         const Environment& environment);

// `flags`: value by flag, as far as given; a flag without a value has "1". Throws LaunchError whose
// line names the option, the value and what is accepted.
ObserverOptions observer_options(const std::map<std::string, std::string>& flags,
                                 const Environment& environment, const ConfigValues& config = {});

}  // namespace tailback
