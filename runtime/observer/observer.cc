#include "runtime/observer/observer.h"

#include <thread>

#include "runtime/analysis/analysis.h"
#include "runtime/detectors/contention_profiler.h"
#include "runtime/detectors/lock_order_detector.h"
#include "runtime/detectors/sanitizer_text_watch.h"
#include "runtime/detectors/session_detection.h"

namespace tailback {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr size_t kMostLocks = 1000;  // that are told; the others are counted

}  // namespace

struct Observer::Impl {
  Impl(Session& session, const ObserverSettings& settings, Reporter& reporter)
      : analysis(reporter, settings.culprits, verdicts),
        session_input(live(session)),
        detection(*session_input, settings, verdicts, emit()) {
    if (settings.locks) {
      contention = std::make_unique<ContentionProfiler>(*(contention_input = live(session)),
                                                        settings.culprits);
    }
    if (!settings.sanitizer_text.log_path.empty()) {
      sanitizer_text = std::make_unique<SanitizerTextWatch>(*(sanitizer_text_input = live(session)),
                                                            settings.sanitizer_text, emit());
    }
    if (settings.lock_order) {
      lock_orders = std::make_unique<LockOrderDetector>(*(lock_order_input = live(session)),
                                                        settings.culprits, emit());
    }
  }

  static std::unique_ptr<DetectorInput> live(Session& session) {
    return std::make_unique<LiveInput>(session.segment());
  }

  Emit emit() {
    return [this](Observation observation) { analysis.take(std::move(observation)); };
  }

  Verdicts verdicts;
  Analysis analysis;
  // Of each thread that detectors run on.
  std::unique_ptr<DetectorInput> session_input;
  std::unique_ptr<DetectorInput> lock_order_input;
  std::unique_ptr<DetectorInput> contention_input;
  std::unique_ptr<DetectorInput> sanitizer_text_input;
  SessionDetection detection;
  std::unique_ptr<LockOrderDetector> lock_orders;  // with --lock-order
  std::unique_ptr<ContentionProfiler> contention;  // with --locks
  std::unique_ptr<SanitizerTextWatch> sanitizer_text;
  steady_clock::time_point begin;
};

Observer::Observer(Session& session, const ObserverSettings& settings, Reporter& reporter)
    : impl_(std::make_unique<Impl>(session, settings, reporter)) {}

Observer::~Observer() = default;

void Observer::start(const SessionStart& start) {
  impl_->begin = steady_clock::now();
  impl_->analysis.start(start);
  impl_->detection.start();
  if (impl_->lock_orders) impl_->lock_orders->start();
  if (impl_->contention) impl_->contention->start();
  if (impl_->sanitizer_text) impl_->sanitizer_text->start();
}

void Observer::wait_until_targets_end(Nanoseconds patience) {
  constexpr auto kPause = milliseconds(20);
  // Between a process's end and the moment when a child that outlives it has attached there may be
  // nobody.
  constexpr auto kGrace = milliseconds(60);
  const auto deadline = steady_clock::now() + patience;
  auto last_alive = steady_clock::now();
  for (;;) {
    std::this_thread::sleep_for(kPause);
    const auto now = steady_clock::now();
    if (impl_->detection.live_processes() != 0) last_alive = now;
    if (impl_->detection.seen_processes() == 0) {
      if (now > deadline) return;
    } else if (now - last_alive > kGrace) {
      return;
    }
  }
}

void Observer::report_status() {
  impl_->detection.ask_for_status();
}

void Observer::finish(const CommandOutcome& outcome) {
  impl_->detection.stop();
  if (impl_->sanitizer_text) impl_->sanitizer_text->stop();
  SessionEnd end = impl_->detection.summary();
  if (impl_->sanitizer_text) end.losses.corrupt += impl_->sanitizer_text->failures();
  if (impl_->lock_orders) {
    impl_->lock_orders->stop();
    end.lock_orders = impl_->lock_orders->summary();
  }
  if (impl_->contention) {
    impl_->contention->stop();
    std::vector<Contention> locks = impl_->contention->locks();
    end.contention = impl_->contention->counts();
    if (locks.size() > kMostLocks) locks.resize(kMostLocks);
    for (Contention& lock : locks) impl_->analysis.take(ContentionSeen{std::move(lock)});
  }
  end.time = std::chrono::system_clock::now();
  end.duration = steady_clock::now() - impl_->begin;
  end.exit_status = outcome.exit_status;
  end.signal = outcome.signal;
  impl_->analysis.finish(std::move(end));
}

}  // namespace tailback
