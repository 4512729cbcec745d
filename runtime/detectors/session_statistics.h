// What is known of a session as a whole: its loops, and how the session stands.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime/detectors/detector.h"
#include "runtime/detectors/judged_sites.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/loops/loop_model.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/process_list.h"
#include "runtime/values/session.h"

namespace tailback {

class SessionStatistics final : public Detector {
 public:
  SessionStatistics(DetectorInput& input, const ThreadTable& threads, const ProcessList& processes,
                    JudgedSites& judged, Nanoseconds threshold, Nanoseconds interval, Emit emit);

  // Has a StatusSeen emitted soon. Safe from any thread.
  void ask_for_status() { status_wanted_.store(true); }

  Nanoseconds interval() const override { return interval_; }
  void poll() override;
  void on_verdict(const AnalysisVerdict& verdict) override;
  void on_thread_end(const WatchedThread& thread, Ending ending) override;

  // Loops of threads that have ended.
  std::vector<LoopStatistics> loops() const;
  Nanoseconds longest_pause() const;

 private:
  // A loop as it is recorded: analysis may still find out that iterations count less.
  struct Loop {
    uint32_t record = 0;
    uint32_t generation = 0;
    LoopStatistics who;  // names and ids
    RecordedLoop recorded;
    uint64_t last_tick = 0;
    bool is_said = false;  // to be a loop, by the program or an option
    JudgedSite judged;
  };

  std::vector<Loop> loops_of(const WatchedThread& thread) const;
  void add(const Loop& loop, std::vector<LoopStatistics>& all) const;
  SessionStatus status() const;

  Clock& clock_;
  const ThreadTable& threads_;
  const ProcessList& processes_;
  JudgedSites& judged_;
  Emit emit_;
  uint64_t threshold_ticks_;
  Nanoseconds interval_;
  std::vector<Loop> loops_;  // of threads that have ended
  uint64_t longest_pause_ticks_ = 0;
  std::atomic<bool> status_wanted_{false};
};

}  // namespace tailback
