#include "runtime/command/run_command.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "runtime/command/reporters.h"
#include "runtime/command/session_start.h"
#include "runtime/command/status_signal.h"
#include "runtime/command/thread_sanitizer_text.h"
#include "runtime/launch/address_layout.h"
#include "runtime/launch/child.h"
#include "runtime/launch/environment.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/observer_process.h"
#include "runtime/launch/preflight.h"
#include "runtime/launch/quoted_text.h"
#include "runtime/launch/recorder_file.h"
#include "runtime/launch/signals.h"
#include "runtime/observer/observer.h"
#include "runtime/report/blocking_call_summing_reporter.h"
#include "runtime/segment/session.h"
#include "runtime/suppress/suppressing_reporter.h"

namespace tailback {
namespace {

// Processes that go down with the command get this long before they count as left behind.
constexpr auto kGoDown = std::chrono::milliseconds(300);

// ThreadSanitizer's runtime begins before the recorder, which says nothing of a process that this
// runtime ends.
void say_if_sanitizer_ended(const Program& program, const CommandOutcome& outcome,
                            const Session& session) {
  const bool failed = outcome.signal || outcome.exit_status.value_or(0) != 0;
  if (!program.has_thread_sanitizer || !failed) return;
  if (session.segment().header.processes_used.load() != 0) return;
  fmt::print(
      stderr,
      "tailback: {}: ended before its main(), and before it could be observed; see what "
      "ThreadSanitizer's runtime says above. It needs room at addresses of its own (no limit "
      "of address space, 'ulimit -v unlimited'), or is too old for this kernel\n",
      quoted_text(program.image));
}

// In the observer's process.
void observe(ObserverLink& link, const ObserverOptions& options, std::vector<Rule> rules,
             const Program& program, const std::vector<std::string>& command,
             const ThreadSanitizerText& text, const MakeReporter& make) {
  const SanitizerTextFolder folder(text);
  Session session = Session::create();
  const auto reporters = make(options, session);
  BlockingCallSummingReporter summing(*reporters);
  SuppressingReporter reporter(std::move(rules), summing);
  const auto failures = [&] {
    uint64_t sum = 0;
    for (const std::string& name : options.fail_on) sum += reporter.reported(name);
    return sum;
  };
  ObserverSettings settings = observer_settings(options);
  settings.sanitizer_text = text.read;
  Observer observer(session, settings, reporter);
  const StatusSignal status_signal([&observer] { observer.report_status(); });
  link.ready(session.path());
  const auto first_target = link.first_target();
  if (!first_target) return;
  observer.start(session_start(options, command, *first_target));
  link.watching();

  const auto end = link.command_end();
  auto targets_end = std::async(
      std::launch::async, [&observer] { observer.wait_until_targets_end(Nanoseconds::zero()); });
  if (targets_end.wait_for(kGoDown) == std::future_status::timeout) link.let_go(failures());
  targets_end.wait();
  CommandOutcome outcome;
  if (end) outcome = {end->exit_status, end->signal};
  observer.finish(outcome);
  if (!options.quiet) say_if_sanitizer_ended(program, outcome, session);
  link.done(failures());
}

// Whether the program would not come to its main() with addresses as random as they are here.
bool needs_fixed_addresses(const Program& program) {
  return program.has_thread_sanitizer && random_bits().value_or(0) > kThreadSanitizerRandomBits;
}

// What the command is to be started with.
std::string preloaded_libraries(const ObserverOptions& options) {
  const std::string recorder = find_recorder();
  return options.lock_order
             ? beside_recorder(recorder, "libtailback-free-hooks.so") + ":" + recorder
             : recorder;
}

void say_what_is_left(ObserverProcess::End end, pid_t observer, bool quiet) {
  switch (end) {
    case ObserverProcess::End::kDone:
      break;
    case ObserverProcess::End::kLetGo:
      if (quiet) break;
      fmt::print(stderr,
                 "tailback: the command has ended; processes that it left are still observed, by "
                 "process {}\n",
                 observer);
      break;
    case ObserverProcess::End::kImpatient:
      fmt::print(stderr, "tailback: the report is still being written, by process {}\n", observer);
      break;
    case ObserverProcess::End::kFailed:
      fmt::print(stderr,
                 "tailback: the observer ended before its time; the report is incomplete\n");
      break;
  }
}

std::string what_fails(const ObserverOptions& options) {
  std::string what;
  for (const std::string& name : options.fail_on) {
    const auto* const row =
        std::find_if(kRecordKinds.begin(), kRecordKinds.end(),
                     [&](const RecordKindRow& one) { return one.fail_on == name; });
    what += what.empty() ? "" : " or a ";
    what += row->one;
  }
  return what;
}

// How tailback ends under --fail-on. A report that was not waited for, or is lost, leaves the
// question open: then a command that did well must not pass for one without.
Outcome verdict(const ObserverOptions& options, std::optional<uint64_t> failures,
                const Outcome& command) {
  const std::string what = what_fails(options);
  if (what.empty() || failures == uint64_t{0}) return command;
  if (failures) return {options.exitcode, {}};
  fmt::print(stderr, "tailback: whether there was a {} is not known; run it again for --fail-on\n",
             what);
  return command.exit_status == 0 ? Outcome{kTailbackFailed, {}} : command;
}

}  // namespace

void run_command(const ObserverOptions& options, const std::vector<std::string>& command) {
  run_command(options, command,
              [](const ObserverOptions& own, Session&) { return make_reporters(own); });
}

void run_command(const ObserverOptions& options, const std::vector<std::string>& command,
                 const MakeReporter& make) {
  const Program program = check_program(command.front());
  const bool fixed_addresses = needs_fixed_addresses(program);
  if (fixed_addresses && !can_fix_addresses()) {
    fmt::print(stderr,
               "tailback: {}: ThreadSanitizer's runtime may end with 'unexpected memory mapping': "
               "addresses are too random for it (vm.mmap_rnd_bits above {}), and this container "
               "does not let a program be started without; sysctl -w vm.mmap_rnd_bits={}\n",
               quoted_text(program.image), kThreadSanitizerRandomBits, kThreadSanitizerRandomBits);
  }
  const std::string recorder = preloaded_libraries(options);
  // Here, for the observer has none of our descriptors: FILE may be one.
  const std::vector<Rule> rules = suppressions(options);
  const ThreadSanitizerText text = thread_sanitizer_text(options, std::getenv("TSAN_OPTIONS"));
  const bool is_cured = program.findings_in_text_only && !text.read.log_path.empty();
  if (!program.remark.empty() && !options.quiet && !is_cured)
    fmt::print(stderr, "tailback: {}\n", program.remark);
  const SignalScope signals;
  ObserverProcess observer(
      [&](ObserverLink& link) { observe(link, options, rules, program, command, text, make); },
      options.json == "-", signals);
  std::vector<std::string> environment = target_environment(environ, recorder, observer.session());
  if (!text.options.empty()) set_variable(environment, "TSAN_OPTIONS", text.options);
  Child child({program.path, command, std::move(environment), fixed_addresses}, signals);
  observer.begin(child.pid());
  try {
    child.execute();
  } catch (const LaunchError& error) {
    observer.finish({error.exit_status(), {}});
    throw;
  }
  const Outcome outcome = child.wait();
  say_what_is_left(observer.finish(outcome), observer.pid(), options.quiet);
  end_as(verdict(options, observer.failures(), outcome));
}

}  // namespace tailback
