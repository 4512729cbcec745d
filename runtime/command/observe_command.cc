#include "runtime/command/observe_command.h"

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "runtime/command/reporters.h"
#include "runtime/command/session_start.h"
#include "runtime/command/status_signal.h"
#include "runtime/launch/background.h"
#include "runtime/observer/observer.h"
#include "runtime/report/blocking_call_summing_reporter.h"
#include "runtime/segment/session.h"
#include "runtime/suppress/suppressing_reporter.h"
#include "runtime/thread_sanitizer/report_logs.h"

namespace tailback {
namespace {

// The process whose recorder started us takes the first record, perhaps after it did so. 0: it has
// not.
pid_t first_target(const Session& session) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  pid_t pid = 0;
  while ((pid = session.segment().processes[0].pid.load()) <= 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::max(pid, 0);
}

}  // namespace

void observe_command(const ObserverOptions& options, const std::string& path) {
  become_background(options.json == "-");
  Session session = Session::open(path);
  auto rules = suppressions(options);
  const auto reporters = make_reporters(options);
  BlockingCallSummingReporter summing(*reporters);
  SuppressingReporter reporter(std::move(rules), summing);
  ObserverSettings settings = observer_settings(options);
  if (const char* given = std::getenv("TSAN_OPTIONS")) {
    // Ours is another working directory than the program's.
    if (std::string log_path = log_path_in(given); log_path.starts_with('/')) {
      settings.sanitizer_text.log_path = std::move(log_path);
    }
  }
  Observer observer(session, settings, reporter);
  const StatusSignal status_signal([&observer] { observer.report_status(); });
  observer.start(session_start(options, {}, first_target(session)));
  observer.wait_until_targets_end();
  observer.finish({});
}

}  // namespace tailback
