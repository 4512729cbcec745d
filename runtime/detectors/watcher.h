// The watcher: looks at the segment a few times per threshold, follows iterations that get long,
// and hands observations on. It decides what is a stall. One thread; it never waits for a disk or a
// terminal.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/detectors/blocking_calls.h"
#include "runtime/detectors/deadlock_detector.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/settings.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/loops/iteration_tracker.h"
#include "runtime/loops/loop_model.h"
#include "runtime/loops/suspensions.h"
#include "runtime/loops/unhooked_loop.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/process_list.h"
#include "runtime/segment/findings.h"
#include "runtime/segment/segment_ring.h"
#include "runtime/values/blocking_call.h"
#include "runtime/values/note.h"
#include "runtime/values/session.h"

namespace tailback {

class Watcher {
 public:
  // `emit` is called on the watcher's thread.
  Watcher(DetectorInput& input, const ObserverSettings& settings, Verdicts& verdicts, Emit emit);
  ~Watcher();

  // Publishes the threshold and starts the thread.
  void start();
  // Reads what is left, ends every stall that is still open, stops the thread.
  void stop();

  // Has a StatusSeen emitted soon. Safe from any thread.
  void ask_for_status() { status_wanted_.store(true); }

  // Processes of the session that live, and that were ever seen. Safe from any thread.
  size_t live_processes() const { return live_processes_.load(); }
  uint64_t seen_processes() const { return seen_processes_.load(); }

  // What the end record says of the watcher's part. After stop().
  SessionEnd summary() const;

 private:
  // A long iteration that has ended, waiting to learn how many events were ready.
  struct EndedIteration {
    contract::Event event;
    StallSeen observation;
    unsigned looks = 0;
  };
  struct WatchedThread {
    uint32_t index = 0;  // of its record
    uint32_t generation = 0;
    uint32_t process = 0;
    int pid = 0;
    int tid = 0;
    std::string name;                             // of the thread; read again now and then
    LoopChoice named = LoopChoice::kByBehaviour;  // what the options say of this name
    unsigned name_reads = 0;
    std::optional<IterationTracker> iterations[contract::kWaitSites];
    // Time without a CPU at the last reading between long iterations, and when that was.
    std::optional<Nanoseconds> runnable_before;
    uint64_t runnable_read = 0;  // tick
    // As it was last read in its waits.
    struct KnownLoopWait {
      LoopWait place;
      uint64_t read = 0;                      // tick; 0: never
      uint64_t seen_iterations = UINT64_MAX;  // when it was last seen to wait
      bool one_connection = false;            // all that was waited for then
    };
    KnownLoopWait homes[contract::kWaitSites];
    // Ticks of the last stall told of that has ended. Loops that share a thread share its stalls.
    uint64_t reported_begin = 0;
    uint64_t reported_end = 0;

    // For a thread without wait sites: what was seen of it from outside.
    UnhookedLoop unseen;
    std::optional<IterationTracker> unhooked_iteration;
    Nanoseconds unhooked_slack{};  // by how much that turn may have begun before it was seen
    uint64_t next_survey = 0;      // tick
    Nanoseconds survey_pause{};

    bool has_open_stall() const {
      return std::any_of(std::begin(iterations), std::end(iterations), [](const auto& iteration) {
        return iteration && iteration->is_open_stall();
      });
    }
    std::map<std::pair<uint64_t, uint64_t>, unsigned> idle_waits_asked;  // call site, stack pointer
    bool shares_loop = false;                                            // as far as was asked
  };

  void run();
  void look();
  // Heeds what analysis has found out since the last look.
  void read_verdicts();
  void heed(const IdleWaitPlace& place);
  void heed(const NoStall& verdict);
  // Takes note of a suspended machine, and of an observer that came late.
  void poll_clocks(uint64_t now, Nanoseconds since_last);
  // Time between two ticks that is not the program's: stopped or suspended.
  Nanoseconds not_counted(const IterationTracker* iteration, uint64_t begin_tick,
                          uint64_t end_tick) const;
  // Says that a thread was stopped within an iteration that is now over; once for all threads of a
  // process.
  void note_stop(const WatchedThread& thread, const IterationTracker& iteration);
  // Until the next look is due.
  void poll_blocking_calls();
  // Reads what targets have found out by themselves.
  void poll_findings();
  void on_slow_call(const contract::Event& event);
  void emit_blocking_call(BlockingCallKind kind, uint32_t index, uint64_t key, CaughtCall caught);
  // The loop in whose iteration a call lies: that of the key, or the outermost one in an iteration
  // if it is 0. Nothing if there is none, or the call is a wait of a loop beside it.
  std::optional<SiteView> loop_around(const WatchedThread& thread,
                                      const contract::ThreadRecord& record, const CallView& call,
                                      uint64_t key) const;
  void poll_processes(bool check_lives);
  void poll_threads();
  // Reads the time without a CPU now and then, for iterations that no look will see.
  void read_runnable(WatchedThread& thread);
  void poll_iteration(contract::ThreadRecord& record, WatchedThread& thread, unsigned place,
                      const SiteView& site, const std::vector<SiteView>& sites);
  // Reads now and then where a loop's thread stands while it waits for events.
  void sample_loop_wait(const contract::ThreadRecord& record, WatchedThread& thread, unsigned place,
                        const SiteView& site);
  // Asks whether the wait is an idle worker's: then it becomes known as a park.
  void ask_about_idle_wait(contract::ThreadRecord& record, WatchedThread& thread,
                           const CallView& call);
  bool is_confirmed_stall(const contract::ThreadRecord& record, const WatchedThread& thread,
                          unsigned place, const SiteView& site, const std::vector<SiteView>& sites,
                          Nanoseconds age) const;
  // Of threads whose waits, if they wait for events, the recorder doesn't see: watcher_unhooked.cc.
  void poll_unhooked(contract::ThreadRecord& record, WatchedThread& thread);
  void survey_unhooked(const contract::ThreadRecord& record, WatchedThread& thread, uint64_t now);
  void emit_unhooked(const WatchedThread& thread, Nanoseconds length, StallState state);
  void end_unhooked(WatchedThread& thread, StallState state);
  void forget_iteration(WatchedThread& thread, unsigned place, const SiteView& site);
  void read_ring();
  void on_iteration(const contract::Event& event);
  Nanoseconds already_reported(const WatchedThread& thread, const contract::Event& event) const;
  static std::optional<unsigned> reported_elsewhere(const WatchedThread& thread,
                                                    const contract::Event& event);
  void on_pending_events(const contract::Event& event);
  void settle_ended_iterations(bool all);

  enum class Ending { kThread, kProcess, kSession };
  void retire_thread(uint32_t index, contract::ThreadRecord& record, Ending ending);
  void retire_process(uint32_t process, Ending ending);
  void end_unfinished(const WatchedThread& thread, const IterationTracker& iteration,
                      const SiteView& site, Ending ending);
  void reap_exited_threads();
  std::vector<LoopStatistics> loops_of(const WatchedThread& thread,
                                       const contract::ThreadRecord& record) const;
  SessionStatus status() const;

  void read_name(WatchedThread& thread);
  static LoopChoice choice_of(const WatchedThread& thread, const contract::ThreadRecord& record);
  WatchedThread* watched(uint32_t index, const contract::ThreadRecord& record);
  // What is known of an iteration, but for its state, its id and the pending_events.
  StallSeen observe(const WatchedThread& thread, const SiteView& site, uint64_t begin_tick,
                    Nanoseconds duration, const IterationTracker* iteration);
  // One look at a thread where it stands.
  // The age of an iteration since when its thread is known to have been where it was found at this
  // age.
  Nanoseconds since_when(const Sample& found, uint64_t iteration_begin, Nanoseconds age) const;
  std::shared_ptr<const Sample> sample(contract::ThreadRecord& record, const WatchedThread& thread);
  // How long a stall lasts before it is reported while it still goes on.
  Nanoseconds first_report_age() const;
  // Says of a stall what limits its report.
  static void note_allowed(StallSeen& stall, Nanoseconds allowed);
  void add_notes(StallSeen& stall, const IterationTracker* iteration, uint64_t begin_tick) const;
  Nanoseconds interval() const;

  DetectorInput& input_;
  contract::Segment& segment_;
  Clock& clock_;
  ProcSource& proc_;
  ThreadSampler& sampler_;
  Nanoseconds threshold_;
  uint32_t tracked_locks_;
  Verdicts& verdicts_;
  Emit emit_;
  SegmentRing ring_;
  Findings findings_;
  ProcessList processes_;
  BlockingCallDetector blocking_calls_;
  DeadlockDetector deadlocks_;
  LoopNames loop_names_;
  std::map<uint32_t, WatchedThread> threads_;
  std::vector<EndedIteration> ended_;
  std::vector<LoopStatistics> loops_;
  uint64_t threshold_ticks_ = 0;
  uint64_t next_id_ = 1;
  uint64_t last_poll_ = 0;
  uint64_t polls_ = 0;
  unsigned surveys_left_ = 0;  // of this look
  unsigned followed_left_ = 0;
  unsigned readings_left_ = 0;
  unsigned loop_wait_samples_left_ = 0;
  unsigned refreshed_loop_waits_ = 0;
  Suspensions suspensions_{[this] { return proc_.clocks(); }};
  Nanoseconds late_{};       // how much later than planned the last look came that was too late
  uint64_t late_after_ = 0;  // ticks of the looks before and after that
  uint64_t late_until_ = 0;
  bool reported_late_ = false;
  std::map<int, uint64_t> stops_reported_;  // pid → tick of the last note on it
  uint64_t seen_threads_ = 0;
  uint64_t unread_stalls_ = 0;  // of which no stack could be read
  uint64_t corrupt_ = 0;
  uint64_t longest_pause_ticks_ = 0;
  std::atomic<size_t> live_processes_{0};
  std::atomic<uint64_t> seen_processes_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> status_wanted_{false};
  std::thread thread_;
};

}  // namespace tailback
