#include "runtime/command/run_command.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cstdio>
#include <future>

#include "runtime/command/reporters.h"
#include "runtime/command/session_start.h"
#include "runtime/launch/child.h"
#include "runtime/launch/environment.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/observer_process.h"
#include "runtime/launch/preflight.h"
#include "runtime/launch/recorder_file.h"
#include "runtime/launch/signals.h"
#include "runtime/session/session.h"
#include "runtime/watch/observer.h"

namespace tailback {
namespace {

// Processes that go down with the command get this long before they count as left behind.
constexpr auto kGoDown = std::chrono::milliseconds(300);

// In the observer's process.
void observe(ObserverLink& link, const ObserverOptions& options,
             const std::vector<std::string>& command) {
  const auto reporter = make_reporters(options);
  Session session = Session::create();
  ObserverSettings settings;
  settings.threshold = options.threshold;
  Observer observer(session, settings, *reporter);
  link.ready(session.path());
  const auto first_target = link.first_target();
  if (!first_target) return;
  observer.start(session_start(options, command, *first_target));
  link.watching();

  const auto end = link.command_end();
  auto targets_end = std::async(
      std::launch::async, [&observer] { observer.wait_until_targets_end(Nanoseconds::zero()); });
  if (targets_end.wait_for(kGoDown) == std::future_status::timeout) link.let_go();
  targets_end.wait();
  CommandOutcome outcome;
  if (end) outcome = {end->exit_status, end->signal};
  observer.finish(outcome);
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

}  // namespace

void run_command(const ObserverOptions& options, const std::vector<std::string>& command) {
  const Program program = check_program(command.front());
  const std::string recorder = find_recorder();
  const SignalScope signals;
  ObserverProcess observer([&](ObserverLink& link) { observe(link, options, command); },
                           options.json == "-", signals);
  Child child({program.path, command, target_environment(environ, recorder, observer.session())},
              signals);
  observer.begin(child.pid());
  try {
    child.execute();
  } catch (const LaunchError& error) {
    observer.finish({error.exit_status(), {}});
    throw;
  }
  const Outcome outcome = child.wait();
  say_what_is_left(observer.finish(outcome), observer.pid(), options.quiet);
  end_as(outcome);
}

}  // namespace tailback
