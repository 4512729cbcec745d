// The options of an observer. Each is one line of one table, and can be given as a flag of
// `tailback run`, as an environment variable or in a config file; a flag beats the variable, the
// variable the file, the file the default.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

struct ObserverOptions {
  Nanoseconds threshold{};
  std::string json;            // file for JSON Lines; "-" is standard output, empty: none
  std::string log;             // file for the text report; empty: standard error
  bool quiet = false;          // no text report
  std::string suppressions{};  // file of rules; empty: none
  // What `run` ends with `exitcode` for once it was reported: names of record_kind.h.
  std::set<std::string, std::less<>> fail_on{};
  int exitcode = 66;
  unsigned max_reports = 10;             // in the text, per culprit and minute
  std::string config{};                  // file; empty: none was named
  std::vector<std::string> loops{};      // patterns for the names of threads that run a loop
  std::vector<std::string> not_loops{};  // … and of those that run none
  bool abort_on_deadlock = false;        // end the deadlocked process with SIGABRT
  bool blocking_calls = false;  // tell calls of loops that wait for longer than `slow_call`
  Nanoseconds slow_call = std::chrono::milliseconds(1);
  bool strict = false;                      // report calls of loops that may block
  std::vector<std::string> app_code{};      // patterns of files whose functions are the program's
  std::vector<std::string> library_code{};  // … and whose are a library's
  bool locks = false;                       // sum up waits for locks
  bool lock_order = false;                  // look for lock-order inversions
  std::string record_observations{};        // file that gets all that detectors read; empty: none
  bool thread_sanitizer_text = false;       // read what ThreadSanitizer prints, and pass it on

  bool operator==(const ObserverOptions&) const = default;
};

// Where a value goes: a switch, a text that is not empty, a list of patterns, or what takes a
// function of its own, which returns what is accepted if `value` is not.
using OptionSwitch = bool ObserverOptions::*;
using OptionText = std::string ObserverOptions::*;
using OptionList = std::vector<std::string> ObserverOptions::*;
using OptionFunction = std::string_view (*)(ObserverOptions& options, std::string_view value);
using OptionTarget = std::variant<OptionSwitch, OptionText, OptionList, OptionFunction>;

struct ObserverOption {
  std::string_view flag;           // "--threshold"
  std::string_view variable;       // "TAILBACK_THRESHOLD"
  std::string_view value_name;     // "TIME"; empty: a flag that takes no value
  std::string_view default_value;  // as it would be given; empty: none
  std::string_view help;
  OptionTarget target;
  // What it was called before. It still works, and no help names it.
  std::string_view old_flag{};
  std::string_view old_variable{};
  // For those who work on Tailback: not in the help, and in no table of options.
  bool is_hidden = false;

  // May be given more than once. All values then stand in one, with commas between.
  bool is_list() const { return std::holds_alternative<OptionList>(target); }
  bool is_called(std::string_view name) const {
    return !name.empty() && (flag == name || old_flag == name);
  }
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
