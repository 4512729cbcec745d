// Follows the iterations of event loops that get long, and emits those over the threshold: while
// they go on, when they have ended, and when nobody will see their end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

#include "runtime/detectors/detector.h"
#include "runtime/detectors/early_iterations.h"
#include "runtime/detectors/ended_iterations.h"
#include "runtime/detectors/idle_wait_questions.h"
#include "runtime/detectors/judged_sites.h"
#include "runtime/detectors/loop_wait_sampler.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/observer_clock.h"
#include "runtime/detectors/runnable_readings.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/loops/iteration_tracker.h"
#include "runtime/loops/stall_rules.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class StallDetector final : public Detector {
 public:
  StallDetector(DetectorInput& input, ThreadTable& threads, StallBuilder& builder,
                ObserverClock& health, JudgedSites& judged, Nanoseconds threshold,
                Nanoseconds interval, const Emit& emit);

  Nanoseconds interval() const override { return interval_; }
  void poll() override;
  void on_event(const contract::Event& event) override;
  void on_verdict(const AnalysisVerdict& verdict) override;
  void on_thread_end(const WatchedThread& thread, Ending ending) override;
  void finish() override { ended_.settle(true); }

  // Stalls of which no stack could be read.
  uint64_t unread() const { return unread_; }

 private:
  struct ThreadState {
    std::optional<IterationTracker> iterations[contract::kWaitSites];
    // Ticks of the last reported stall that has ended. Loops that share a thread share its stalls.
    uint64_t reported_begin = 0;
    uint64_t reported_end = 0;
    EarlyIterations early;

    bool is_tracking() const {
      return std::any_of(std::begin(iterations), std::end(iterations),
                         [](const auto& iteration) { return iteration.has_value(); });
    }
    bool has_open_stall() const {
      return std::any_of(std::begin(iterations), std::end(iterations), [](const auto& iteration) {
        return iteration && iteration->is_open_stall();
      });
    }
  };
  // A wait site of a thread.
  struct At {
    const WatchedThread& thread;
    ThreadState& state;
    unsigned place = 0;
    const SiteView& site;
    const std::vector<SiteView>& sites;  // all of the thread's

    contract::ThreadRecord& record() const { return *thread.record; }
    const contract::WaitSite& wait_site() const { return thread.record->wait_sites[place]; }
    std::optional<IterationTracker>& iteration() const { return state.iterations[place]; }
  };

  void read_early_name(WatchedThread& thread);
  void poll_thread(WatchedThread& thread);
  void poll_site(const At& at);
  // The iteration at this site is over, and its event has not come.
  void await_event(const At& at);
  void track(const At& at, Nanoseconds age, Nanoseconds allowed);
  void sample_if_due(const At& at, Nanoseconds age, Nanoseconds allowed);
  bool is_stall(const At& at, Nanoseconds age) const;
  void report_in_progress(const At& at, Nanoseconds age, uint64_t now);

  void on_iteration(const contract::Event& event);
  void end_iteration(const At& at, const contract::Event& event);
  // The id to report it under; 0: it is no stall.
  uint64_t id_of_ended(const At& at, const contract::Event& event, Nanoseconds duration);
  // Whether the site of a long iteration may yet prove to be a loop's.
  bool may_be_early(const At& at, const IterationTracker& iteration) const;
  void report_early(const At& at);
  // The place of a sibling, waited at within this iteration, whose iteration was reported while it
  // went on.
  static std::optional<unsigned> reported_elsewhere(const ThreadState& state,
                                                    const contract::Event& event);
  void end_unfinished(const At& at, Ending ending);

  std::vector<SiteView> loops_of(const At& at) const;
  bool is_worker_at(const At& at) const;
  bool runs_loop_at(const At& at) const;
  Nanoseconds without(const At& at, Nanoseconds age, uint64_t end_tick) const;
  StallSeen build(const At& at, uint64_t begin_tick, Nanoseconds duration,
                  const IterationTracker* iteration);
  void note_stop(const WatchedThread& thread, const IterationTracker& iteration);

  contract::Segment& segment_;
  Clock& clock_;
  ProcSource& proc_;
  ThreadTable& threads_;
  StallBuilder& builder_;
  ObserverClock& health_;
  JudgedSites& judged_;
  Emit emit_;
  Nanoseconds threshold_;
  Nanoseconds interval_;
  uint64_t threshold_ticks_;
  EndedIterations ended_;
  IdleWaitQuestions idle_waits_;
  LoopWaitSampler loop_waits_;
  RunnableReadings runnable_;
  PerThread<ThreadState> states_;
  uint64_t polls_ = 0;
  uint64_t unread_ = 0;
};

}  // namespace tailback
