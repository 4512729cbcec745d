#include "runtime/observer/observer.h"

#include <thread>

#include "runtime/analysis/analysis.h"
#include "runtime/detectors/contention_profiler.h"
#include "runtime/detectors/lock_order_detector.h"
#include "runtime/detectors/sanitizer_text_watch.h"
#include "runtime/detectors/session_detection.h"
#include "runtime/observations/header_json.h"
#include "runtime/observations/observation_file.h"
#include "runtime/observations/recording_input.h"
#include "runtime/observations/stack_sources.h"
#include "runtime/observer/lanes.h"

namespace tailback {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Observer::Impl {
  Impl(Session& session, const ObserverSettings& used_settings, Reporter& reporter)
      : settings(used_settings),
        segment(session.segment()),
        recording(writer_of(settings)),
        analysis(reporter, settings.culprits, verdicts, {stacks(), loop_ends()}),
        session_input(input(SegmentReader::kSession, kSessionLane)),
        detection(*session_input, settings, verdicts, emit()) {
    if (settings.locks) {
      contention_input = input(SegmentReader::kContention, kContentionLane);
      contention = std::make_unique<ContentionProfiler>(*contention_input, emit());
    }
    if (!settings.sanitizer_text.log_path.empty()) {
      sanitizer_text_input = std::make_unique<LiveInput>(segment);
      sanitizer_text = std::make_unique<SanitizerTextWatch>(*sanitizer_text_input,
                                                            settings.sanitizer_text, emit());
    }
    if (settings.lock_order) {
      lock_order_input = input(SegmentReader::kLockOrder, kLockOrderLane);
      lock_orders = std::make_unique<LockOrderDetector>(*lock_order_input, emit());
    }
  }

  static std::unique_ptr<ObservationWriter> writer_of(const ObserverSettings& settings) {
    if (settings.record_observations.empty()) return nullptr;
    return std::make_unique<ObservationWriter>(settings.record_observations);
  }

  std::unique_ptr<DetectorInput> input(SegmentReader reader, const char* lane) {
    if (!recording) return std::make_unique<LiveInput>(segment);
    return make_recording_input(segment, reader, *recording, lane);
  }
  std::unique_ptr<StackSource> stacks() {
    auto stacks = make_stack_source();
    return recording ? make_recording_stacks(std::move(stacks), *recording) : std::move(stacks);
  }
  std::unique_ptr<LoopEnds> loop_ends() {
    return recording ? make_recording_loop_ends(*recording) : nullptr;
  }

  Emit emit() {
    return [this](Observation&& observation) { analysis.take(std::move(observation)); };
  }

  ObserverSettings settings;
  contract::Segment& segment;
  std::unique_ptr<ObservationWriter> recording;  // with --record-observations
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
  if (impl_->recording) impl_->recording->write(header_of(impl_->settings, start));
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
  impl_->analysis.wait();
  impl_->detection.settle();
  SessionEnd end = impl_->detection.summary();
  if (impl_->sanitizer_text) end.losses.corrupt += impl_->sanitizer_text->failures();
  if (impl_->lock_orders) {
    impl_->lock_orders->stop();
    impl_->lock_orders->add_losses(end);
  }
  if (impl_->contention) {
    impl_->contention->stop();
    impl_->contention->add_losses(end);
  }
  end.time = std::chrono::system_clock::now();
  end.duration = steady_clock::now() - impl_->begin;
  end.exit_status = outcome.exit_status;
  end.signal = outcome.signal;
  if (impl_->recording) impl_->recording->write({{"end", end_of(end)}});
  impl_->analysis.finish(std::move(end));
}

}  // namespace tailback
