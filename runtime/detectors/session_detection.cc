#include "runtime/detectors/session_detection.h"

#include <algorithm>

#include "runtime/detectors/blocking_call_detector.h"
#include "runtime/detectors/condition_loop_detector.h"
#include "runtime/detectors/deadlock_detector.h"
#include "runtime/detectors/detector_loop.h"
#include "runtime/detectors/event_reader.h"
#include "runtime/detectors/finding_reader.h"
#include "runtime/detectors/judged_sites.h"
#include "runtime/detectors/observer_clock.h"
#include "runtime/detectors/program_end_detector.h"
#include "runtime/detectors/session_statistics.h"
#include "runtime/detectors/session_tracker.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/stall_detector.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/detectors/unhooked_loop_detector.h"
#include "runtime/sampling/process_list.h"

namespace tailback {

using std::chrono::milliseconds;

namespace {

constexpr Nanoseconds kShortCall = std::chrono::microseconds(5);

// A few polls in each threshold.
Nanoseconds poll_interval(Nanoseconds threshold) {
  return std::clamp<Nanoseconds>(threshold / 5, milliseconds(1), milliseconds(20));
}

}  // namespace

struct SessionDetection::Parts {
  Parts(DetectorInput& used_input, const ObserverSettings& used_settings, Verdicts& used_verdicts,
        const Emit& emit)
      : input(used_input),
        settings(used_settings),
        verdicts(used_verdicts),
        interval(poll_interval(settings.threshold)),
        processes(input.segment(), input.proc(), input.sampler()),
        threads(input, processes, settings.loops),
        events(input),
        health(input, settings.threshold, interval, emit),
        builder(input, processes, health, settings.threshold),
        tracker(input, processes, threads, events, health, verdicts, interval),
        unhooked_loops(input, threads, builder, health, settings.threshold, interval, emit),
        condition_loops(input, threads, builder, emit),
        stalls(input, threads, builder, health, judged, settings.threshold, interval, emit),
        findings(input, processes, interval, emit),
        deadlocks(input, emit),
        statistics(input, threads, processes, judged, settings.threshold, interval, emit),
        program_ends(input, threads, builder, judged, settings.threshold, emit),
        blocking_calls(input, threads, events, builder, settings, emit),
        loop(input) {
    loop.add(tracker);
    for (Detector* detector :
         {static_cast<Detector*>(&unhooked_loops), static_cast<Detector*>(&condition_loops),
          static_cast<Detector*>(&stalls), static_cast<Detector*>(&findings),
          static_cast<Detector*>(&deadlocks), static_cast<Detector*>(&program_ends),
          static_cast<Detector*>(&statistics)}) {
      add(*detector);
    }
    // Slow calls are in the ring whether they are looked for or not.
    if (settings.blocking_calls.any()) add(blocking_calls);
  }

  void add(Detector& detector) {
    loop.add(detector);
    tracker.add(detector);
    events.add(detector);
  }

  DetectorInput& input;
  ObserverSettings settings;
  Verdicts& verdicts;
  Nanoseconds interval;
  ProcessList processes;
  ThreadTable threads;
  EventReader events;
  ObserverClock health;
  StallBuilder builder;
  SessionTracker tracker;
  JudgedSites judged;
  UnhookedLoopDetector unhooked_loops;
  ConditionLoopDetector condition_loops;
  StallDetector stalls;
  FindingReader findings;
  DeadlockDetector deadlocks;
  SessionStatistics statistics;
  ProgramEndDetector program_ends;
  BlockingCallDetector blocking_calls;
  DetectorLoop loop;
};

SessionDetection::SessionDetection(DetectorInput& input, const ObserverSettings& settings,
                                   Verdicts& verdicts, const Emit& emit)
    : parts_(std::make_unique<Parts>(input, settings, verdicts, emit)) {}

SessionDetection::~SessionDetection() = default;

void SessionDetection::begin() {
  const Clock& clock = parts_->input.clock();
  contract::Header& header = parts_->input.segment().header;
  header.pause_limit_ticks.store(clock.ticks(kPauseLimit));
  header.short_call_ticks.store(clock.ticks(kShortCall));
  header.tracked_locks.store(tracked_locks(parts_->settings));
  parts_->blocking_calls.start();
  header.threshold_ticks.store(clock.ticks(parts_->settings.threshold), std::memory_order_release);
  parts_->health.start();
}

void SessionDetection::poll() {
  parts_->loop.poll();
}

void SessionDetection::finish() {
  parts_->loop.finish();
}

void SessionDetection::start() {
  begin();
  parts_->loop.start();
}

void SessionDetection::stop() {
  parts_->loop.stop();
}

void SessionDetection::settle() {
  for (const AnalysisVerdict& verdict : parts_->verdicts.take()) {
    parts_->statistics.on_verdict(verdict);
  }
}

void SessionDetection::ask_for_status() {
  parts_->statistics.ask_for_status();
}

size_t SessionDetection::live_processes() const {
  return parts_->tracker.live_processes();
}

uint64_t SessionDetection::seen_processes() const {
  return parts_->tracker.seen_processes();
}

SessionEnd SessionDetection::summary() const {
  const contract::Header& header = parts_->input.segment().header;
  SessionEnd end;
  end.processes = parts_->processes.seen();
  end.threads = parts_->threads.seen();
  end.longest_pause = parts_->statistics.longest_pause();
  end.losses.events = header.ring_dropped.load() + parts_->events.stepped_over();
  end.losses.threads = header.threads_missed.load();
  end.losses.processes = header.processes_missed.load();
  end.losses.programs = parts_->processes.lost_programs();
  end.losses.corrupt = parts_->events.corrupt() + parts_->loop.failures();
  end.losses.samples = parts_->stalls.unread() + parts_->unhooked_loops.unread();
  end.counts[RecordKind::kRace].lost = parts_->findings.lost();
  end.loops = parts_->statistics.loops();
  end.unused_options = parts_->threads.unused_options();
  if (parts_->settings.blocking_calls.any()) {
    end.counts[RecordKind::kBlockingCall].lost = parts_->blocking_calls.unseen();
  }
  return end;
}

}  // namespace tailback
