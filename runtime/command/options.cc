#include "runtime/command/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "runtime/launch/launch_error.h"
#include "runtime/launch/quoted_text.h"
#include "runtime/values/record_kind.h"

namespace tailback {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Nanoseconds kLeastThreshold = milliseconds(1);
constexpr Nanoseconds kGreatestThreshold = hours(1);
constexpr Nanoseconds kLeastSlowCall = microseconds(200);

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};
constexpr std::array kUnits = {Unit{"us", 1'000}, Unit{"µs", 1'000}, Unit{"ms", 1'000'000},
                               Unit{"s", 1'000'000'000}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "20ms", "0.5s": digits, a fraction, a unit. What is finer than a nanosecond is cut off.
std::optional<Nanoseconds> parse_time(std::string_view text) {
  const auto number_end =
      std::find_if_not(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  const std::string_view number = text.substr(0, static_cast<size_t>(number_end - text.begin()));
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
    return candidate.name == text.substr(number.size());
  });
  if (unit == kUnits.end()) return std::nullopt;

  const size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  constexpr size_t kMostDigits = 9;  // no overflow: 10^9 seconds are 10^18 nanoseconds
  if (whole.size() + fraction.size() == 0 || whole.size() > kMostDigits ||
      fraction.find('.') != std::string_view::npos) {
    return std::nullopt;
  }
  int64_t nanoseconds = 0;
  for (const char digit : whole) nanoseconds = nanoseconds * 10 + (digit - '0');
  nanoseconds *= unit->nanoseconds;
  int64_t place = unit->nanoseconds;
  for (const char digit : fraction) nanoseconds += (digit - '0') * (place /= 10);
  return Nanoseconds(nanoseconds);
}

std::string_view set_threshold(ObserverOptions& options, std::string_view value) {
  const auto time = parse_time(value);
  if (!time || *time < kLeastThreshold || *time > kGreatestThreshold) {
    return "a time from 1ms to 3600s, with its unit (us, ms or s), such as 20ms or 0.5s";
  }
  options.threshold = *time;
  return {};
}

std::string_view set_file(std::string& file, std::string_view value) {
  if (value.empty()) return "the name of a file";
  file = value;
  return {};
}

std::string_view set_flag(bool& flag, std::string_view value) {
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (value == yes) {
      flag = true;
      return {};
    }
  }
  for (const std::string_view no : {"0", "false", "no", "off"}) {
    if (value == no) {
      flag = false;
      return {};
    }
  }
  return "1 or 0";
}

std::string_view set_slow_call(ObserverOptions& options, std::string_view value) {
  const auto time = parse_time(value);
  if (!time || *time < kLeastSlowCall || *time > kGreatestThreshold) {
    return "a time from 200us to 3600s, with its unit (us, ms or s), such as 1ms or 500us";
  }
  options.slow_call = *time;
  return {};
}

std::string_view set_globs(std::vector<std::string>& globs, std::string_view value) {
  while (true) {
    const size_t end = std::min(value.find(','), value.size());
    if (end == 0) return "a pattern, such as worker* or */vendor/*, or several with commas";
    globs.emplace_back(value.substr(0, end));
    if (end == value.size()) return {};
    value.remove_prefix(end + 1);
  }
}

std::string_view set_fail_on(ObserverOptions& options, std::string_view value) {
  options.fail_on.clear();
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    std::string_view what = value.substr(begin, end - begin);
    // A new stall is one that no suppression matches, and no other is reported.
    if (what == "new") what = "stall";
    if (what == "hazard") what = "blocking-call";
    const bool known =
        !what.empty() && std::any_of(kRecordKinds.begin(), kRecordKinds.end(),
                                     [&](const RecordKindRow& row) { return row.fail_on == what; });
    if (!known) {
      return "stall (any that no suppression matches), new (the same, beside a baseline), "
             "blocking-call (with --blocking-calls or --strict), deadlock (with --lock-order, a "
             "possible one too), race (of a program that is compiled for ThreadSanitizer), "
             "never-awaited (a coroutine), or several with commas between them";
    }
    options.fail_on.emplace(what);
    begin = end + 1;
  }
  return {};
}

std::string_view set_on_deadlock(ObserverOptions& options, std::string_view value) {
  if (value != "report" && value != "abort") return "report or abort";
  options.abort_on_deadlock = value == "abort";
  return {};
}

// Decimal, without sign. Nothing if it is none or over `most`.
std::optional<unsigned> parse_count(std::string_view text, unsigned most) {
  unsigned number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number > most) return std::nullopt;
  return number;
}

std::string_view set_exitcode(ObserverOptions& options, std::string_view value) {
  const auto number = parse_count(value, 255);
  if (!number || *number == 0) return "a number from 1 to 255";
  options.exitcode = static_cast<int>(*number);
  return {};
}

std::string_view set_max_reports(ObserverOptions& options, std::string_view value) {
  const auto number = parse_count(value, 1000);
  if (!number || *number == 0) return "a number from 1 to 1000";
  options.max_reports = *number;
  return {};
}

constexpr std::array kTable = {
    ObserverOption{"--threshold", "TAILBACK_THRESHOLD", "TIME", "100ms",
                   "Report iterations of an event loop that take longer: 20ms, 0.5s (at least 1ms)",
                   set_threshold},
    ObserverOption{"--json", "TAILBACK_JSON", "FILE", "",
                   "Write JSON Lines to FILE ('-': standard output)", &ObserverOptions::json},
    ObserverOption{"--log", "TAILBACK_LOG", "FILE", "",
                   "Write the text report to FILE instead of standard error",
                   &ObserverOptions::log},
    ObserverOption{"--quiet", "TAILBACK_QUIET", "", "0", "Write no text report",
                   &ObserverOptions::quiet},
    ObserverOption{"--suppressions", "TAILBACK_SUPPRESSIONS", "FILE", "",
                   "Do not report findings that a rule of FILE matches",
                   &ObserverOptions::suppressions},
    ObserverOption{"--fail-on", "TAILBACK_FAIL_ON", "WHAT", "",
                   "End with another status once a 'stall', 'blocking-call', 'deadlock', 'race' or "
                   "'never-awaited' was reported (or several: stall,deadlock); 'new' means the "
                   "same as stall",
                   set_fail_on},
    ObserverOption{"--on-deadlock", "TAILBACK_ON_DEADLOCK", "WHAT", "report",
                   "When a deadlock is found: 'report' it, or 'abort' the process too (SIGABRT)",
                   set_on_deadlock},
    ObserverOption{"--exitcode", "TAILBACK_EXITCODE", "N", "66",
                   "The exit status of --fail-on (1 to 255)", set_exitcode},
    ObserverOption{"--max-reports", "TAILBACK_MAX_REPORTS", "N", "10",
                   "Most reports in the text per culprit and minute (1 to 1000)", set_max_reports},
    ObserverOption{"--blocking-calls", "TAILBACK_BLOCKING_CALLS", "", "0",
                   "Report calls that wait on loop threads, though not as long as the threshold",
                   &ObserverOptions::blocking_calls, "--hazards", "TAILBACK_HAZARDS"},
    ObserverOption{"--slow-call", "TAILBACK_SLOW_CALL", "TIME", "1ms",
                   "With --blocking-calls: report calls that wait longer (at least 200us)",
                   set_slow_call},
    ObserverOption{"--strict", "TAILBACK_STRICT", "", "0",
                   "Report every call on a loop thread that can block, however quick it was; slows "
                   "the program",
                   &ObserverOptions::strict},
    ObserverOption{"--locks", "TAILBACK_LOCKS", "", "0",
                   "Report at the end which locks were waited for: how often, how long, by whom, "
                   "and how long they were held",
                   &ObserverOptions::locks},
    ObserverOption{"--lock-order", "TAILBACK_LOCK_ORDER", "", "0",
                   "Report lock-order inversions: locks that threads take in orders that can "
                   "deadlock, whether they did or not",
                   &ObserverOptions::lock_order},
    ObserverOption{"--thread-sanitizer-text", "TAILBACK_THREAD_SANITIZER_TEXT", "", "0",
                   "Read the findings of programs that are not paired from what ThreadSanitizer "
                   "prints, and pass the text on to standard error",
                   &ObserverOptions::thread_sanitizer_text},
    ObserverOption{"--loop", "TAILBACK_LOOP", "GLOB", "",
                   "Treat threads of this name as event loops, however they wait; may be repeated",
                   &ObserverOptions::loops},
    ObserverOption{"--not-loop", "TAILBACK_NOT_LOOP", "GLOB", "",
                   "Report nothing of threads of this name; may be repeated, beats --loop",
                   &ObserverOptions::not_loops},
    ObserverOption{"--app-code", "TAILBACK_APP_CODE", "GLOB", "",
                   "Blame functions in files that match: they are the program's own; may be "
                   "repeated",
                   &ObserverOptions::app_code, "--own", "TAILBACK_OWN"},
    ObserverOption{"--library-code", "TAILBACK_LIBRARY_CODE", "GLOB", "",
                   "Don't blame functions in files that match, like those of Python's standard "
                   "library and site-packages; may be repeated",
                   &ObserverOptions::library_code, "--library", "TAILBACK_LIBRARY"},
    ObserverOption{"--config", "TAILBACK_CONFIG", "FILE", "",
                   "Take options from FILE; without it, from ./tailback.toml if there is one",
                   &ObserverOptions::config},
    ObserverOption{"--record-observations", "TAILBACK_RECORD_OBSERVATIONS", "FILE", "",
                   "Write all that detectors read to FILE, to be played back in a test",
                   &ObserverOptions::record_observations, "", "", true},
};

std::string_view set_target(const OptionTarget& target, ObserverOptions& options,
                            std::string_view value) {
  if (const auto* const member = std::get_if<OptionSwitch>(&target)) {
    return set_flag(options.*(*member), value);
  }
  if (const auto* const member = std::get_if<OptionText>(&target)) {
    return set_file(options.*(*member), value);
  }
  if (const auto* const member = std::get_if<OptionList>(&target)) {
    return set_globs(options.*(*member), value);
  }
  return std::get<OptionFunction>(target)(options, value);
}

void set(const ObserverOption& option, ObserverOptions& options, std::string_view source,
         std::string_view value) {
  const std::string_view accepted = set_target(option.target, options, value);
  if (accepted.empty()) return;
  throw LaunchError(kTailbackFailed, std::string(source) + " " + quoted_text(value) +
                                         ": not accepted; give " + std::string(accepted));
}

}  // namespace

std::span<const ObserverOption> observer_option_table() {
  return kTable;
}

std::string config_named(const std::map<std::string, std::string>& flags,
                         const Environment& environment) {
  const auto flag = flags.find("--config");
  if (flag != flags.end()) return flag->second;
  const char* const variable = environment("TAILBACK_CONFIG");
  return variable == nullptr ? "" : variable;
}

ObserverOptions observer_options(const std::map<std::string, std::string>& flags,
                                 const Environment& environment, const ConfigValues& config) {
  ObserverOptions options;
  for (const ObserverOption& option : kTable) {
    const std::string flag_name(option.flag);
    const auto flag = flags.find(flag_name);
    std::string_view name = option.variable;
    const char* variable = environment(std::string(name).c_str());
    const bool unset = variable == nullptr || *variable == '\0';
    if (unset && !option.old_variable.empty()) {
      name = option.old_variable;
      variable = environment(std::string(name).c_str());
    }
    if (!option.default_value.empty()) set(option, options, option.flag, option.default_value);
    if (flag != flags.end()) {
      set(option, options, option.flag, flag->second);
    } else if (variable != nullptr && *variable != '\0') {
      set(option, options, name, variable);
    } else if (const auto value = config.find(flag_name); value != config.end()) {
      set(option, options, value->second.where, value->second.value);
    }
  }
  if (options.fail_on.contains("blocking-call") && !options.blocking_calls && !options.strict) {
    throw LaunchError(kTailbackFailed,
                      "--fail-on blocking-call: blocking calls are not looked for; add "
                      "--blocking-calls or --strict");
  }
  return options;
}

}  // namespace tailback
