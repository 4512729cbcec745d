#include "runtime/command/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "runtime/launch/launch_error.h"
#include "runtime/launch/quoted_text.h"

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

std::string_view set_json(ObserverOptions& options, std::string_view value) {
  return set_file(options.json, value);
}

std::string_view set_log(ObserverOptions& options, std::string_view value) {
  return set_file(options.log, value);
}

std::string_view set_record_observations(ObserverOptions& options, std::string_view value) {
  return set_file(options.record_observations, value);
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

std::string_view set_quiet(ObserverOptions& options, std::string_view value) {
  return set_flag(options.quiet, value);
}

std::string_view set_blocking_calls(ObserverOptions& options, std::string_view value) {
  return set_flag(options.blocking_calls, value);
}

std::string_view set_strict(ObserverOptions& options, std::string_view value) {
  return set_flag(options.strict, value);
}

std::string_view set_thread_sanitizer_text(ObserverOptions& options, std::string_view value) {
  return set_flag(options.thread_sanitizer_text, value);
}

std::string_view set_lock_order(ObserverOptions& options, std::string_view value) {
  return set_flag(options.lock_order, value);
}

std::string_view set_locks(ObserverOptions& options, std::string_view value) {
  return set_flag(options.locks, value);
}

std::string_view set_slow_call(ObserverOptions& options, std::string_view value) {
  const auto time = parse_time(value);
  if (!time || *time < kLeastSlowCall || *time > kGreatestThreshold) {
    return "a time from 200us to 3600s, with its unit (us, ms or s), such as 1ms or 500us";
  }
  options.slow_call = *time;
  return {};
}

std::string_view set_suppressions(ObserverOptions& options, std::string_view value) {
  return set_file(options.suppressions, value);
}

std::string_view set_config(ObserverOptions& options, std::string_view value) {
  return set_file(options.config, value);
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

std::string_view set_own(ObserverOptions& options, std::string_view value) {
  return set_globs(options.own, value);
}

std::string_view set_library(ObserverOptions& options, std::string_view value) {
  return set_globs(options.library, value);
}

std::string_view set_fail_on(ObserverOptions& options, std::string_view value) {
  options.fail_on_stall = false;
  options.fail_on_blocking_call = false;
  options.fail_on_deadlock = false;
  options.fail_on_race = false;
  options.fail_on_never_awaited = false;
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    const std::string_view what = value.substr(begin, end - begin);
    if (what == "blocking-call") {
      options.fail_on_blocking_call = true;
    } else if (what == "deadlock") {
      options.fail_on_deadlock = true;
    } else if (what == "race") {
      options.fail_on_race = true;
    } else if (what == "never-awaited") {
      options.fail_on_never_awaited = true;
    } else if (what == "stall" || what == "new") {
      // A new stall is one that no suppression knows, and no other is told.
      options.fail_on_stall = true;
    } else {
      return "stall (any that no suppression holds), new (the same, beside a baseline), "
             "blocking-call (with --blocking-calls or --strict), deadlock (with --lock-order, "
             "one that can be, too), race (of a program that is compiled for ThreadSanitizer), "
             "never-awaited (a coroutine), or "
             "several with commas between them";
    }
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

std::string_view set_loops(ObserverOptions& options, std::string_view value) {
  return set_globs(options.loops, value);
}

std::string_view set_not_loops(ObserverOptions& options, std::string_view value) {
  return set_globs(options.not_loops, value);
}

constexpr std::array kTable = {
    ObserverOption{"--threshold", "TAILBACK_THRESHOLD", "TIME", "100ms",
                   "Report iterations of an event loop that take longer: 20ms, 0.5s (at least 1ms)",
                   set_threshold},
    ObserverOption{"--json", "TAILBACK_JSON", "FILE", "",
                   "Write JSON Lines to FILE ('-': standard output)", set_json},
    ObserverOption{"--log", "TAILBACK_LOG", "FILE", "",
                   "Write the text report to FILE in place of standard error", set_log},
    ObserverOption{"--quiet", "TAILBACK_QUIET", "", "0", "Write no text report", set_quiet},
    ObserverOption{"--suppressions", "TAILBACK_SUPPRESSIONS", "FILE", "",
                   "Say nothing of the stalls that a rule of FILE matches", set_suppressions},
    ObserverOption{"--fail-on", "TAILBACK_FAIL_ON", "WHAT", "",
                   "End with another status once a 'stall', 'blocking-call', 'deadlock', 'race' or "
                   "'never-awaited' was reported "
                   "(or stall,deadlock); 'new' says the same as stall",
                   set_fail_on},
    ObserverOption{"--on-deadlock", "TAILBACK_ON_DEADLOCK", "WHAT", "report",
                   "Once a deadlock was found: 'report' it, or 'abort' the process too (SIGABRT)",
                   set_on_deadlock},
    ObserverOption{"--exitcode", "TAILBACK_EXITCODE", "N", "66", "That status (1 to 255)",
                   set_exitcode},
    ObserverOption{"--max-reports", "TAILBACK_MAX_REPORTS", "N", "10",
                   "Most reports in the text per culprit and minute (1 to 1000)", set_max_reports},
    ObserverOption{"--blocking-calls", "TAILBACK_BLOCKING_CALLS", "", "0",
                   "Report calls on loop threads that wait, if not as long as the threshold",
                   set_blocking_calls},
    ObserverOption{"--slow-call", "TAILBACK_SLOW_CALL", "TIME", "1ms",
                   "With --blocking-calls: calls that wait for longer (at least 200us)",
                   set_slow_call},
    ObserverOption{"--strict", "TAILBACK_STRICT", "", "0",
                   "Report every call on a loop thread that is able to block, however quick; slows "
                   "the program",
                   set_strict},
    ObserverOption{"--locks", "TAILBACK_LOCKS", "", "0",
                   "Say at the end which locks were waited for: how often, how long, by whom, and "
                   "how long they were held",
                   set_locks},
    ObserverOption{"--lock-order", "TAILBACK_LOCK_ORDER", "", "0",
                   "Report locks that threads take in orders that can deadlock, if they did or not",
                   set_lock_order},
    ObserverOption{"--thread-sanitizer-text", "TAILBACK_THREAD_SANITIZER_TEXT", "", "0",
                   "Read the findings of programs that are not paired in what ThreadSanitizer "
                   "prints, which comes out at our standard error then",
                   set_thread_sanitizer_text},
    ObserverOption{"--loop", "TAILBACK_LOOP", "GLOB", "",
                   "Take threads of such a name for loops, however they wait; may be repeated",
                   set_loops, true},
    ObserverOption{"--not-loop", "TAILBACK_NOT_LOOP", "GLOB", "",
                   "Report nothing of threads of such a name; may be repeated, beats --loop",
                   set_not_loops, true},
    ObserverOption{
        "--app-code", "TAILBACK_OWN", "GLOB", "",
        "Blame functions of files that match: they are the program's own; may be repeated", set_own,
        true},
    ObserverOption{"--library-code", "TAILBACK_LIBRARY", "GLOB", "",
                   "Don't blame functions of files that match, like those of Python's standard "
                   "library and site-packages; may be repeated",
                   set_library, true},
    ObserverOption{"--config", "TAILBACK_CONFIG", "FILE", "",
                   "Take options from FILE; without, from ./tailback.toml if there is one",
                   set_config},
    ObserverOption{"--record-observations", "TAILBACK_RECORD_OBSERVATIONS", "FILE", "",
                   "Write all that detectors read to FILE, to be played back in a test",
                   set_record_observations, false, true},
};

void set(const ObserverOption& option, ObserverOptions& options, std::string_view source,
         std::string_view value) {
  const std::string_view accepted = option.set(options, value);
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
    const char* variable = environment(std::string(option.variable).c_str());
    if (!option.default_value.empty()) set(option, options, option.flag, option.default_value);
    if (flag != flags.end()) {
      set(option, options, option.flag, flag->second);
    } else if (variable != nullptr && *variable != '\0') {
      set(option, options, option.variable, variable);
    } else if (const auto value = config.find(flag_name); value != config.end()) {
      set(option, options, value->second.where, value->second.value);
    }
  }
  if (options.fail_on_blocking_call && !options.blocking_calls && !options.strict) {
    throw LaunchError(kTailbackFailed,
                      "--fail-on blocking-call: blocking calls are not looked for; add "
                      "--blocking-calls or --strict");
  }
  return options;
}

}  // namespace tailback
