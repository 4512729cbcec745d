#include "runtime/detectors/session_statistics.h"

#include <algorithm>
#include <utility>

#include "runtime/loops/loop_model.h"

namespace tailback {

namespace {

constexpr size_t kMostLoops = 4096;

}  // namespace

SessionStatistics::SessionStatistics(DetectorInput& input, const ThreadTable& threads,
                                     const ProcessList& processes, JudgedSites& judged,
                                     Nanoseconds threshold, Nanoseconds interval, Emit emit)
    : clock_(input.clock()),
      threads_(threads),
      processes_(processes),
      judged_(judged),
      emit_(std::move(emit)),
      threshold_ticks_(clock_.ticks(threshold)),
      interval_(interval) {}

void SessionStatistics::poll() {
  if (status_wanted_.exchange(false)) emit_(StatusSeen{status()});
}

void SessionStatistics::on_thread_end(const WatchedThread& thread, Ending) {
  longest_pause_ticks_ = std::max(longest_pause_ticks_, thread.record->pause_ticks_longest.load());
  for (LoopStatistics& loop : loops_of(thread)) {
    if (loops_.size() < kMostLoops) loops_.push_back(std::move(loop));
  }
  judged_.forget(thread);
}

Nanoseconds SessionStatistics::longest_pause() const {
  return clock_.duration(longest_pause_ticks_);
}

std::vector<LoopStatistics> SessionStatistics::loops_of(const WatchedThread& thread) const {
  std::vector<LoopStatistics> loops;
  const contract::ThreadRecord& record = *thread.record;
  const ProcessFacts* process = processes_.find(thread.process);
  const LoopChoice choice = thread.choice();
  const std::vector<SiteView> known =
      loops_among(choice, view_sites(record), record, threshold_ticks_);
  for (const contract::WaitSite& place : record.wait_sites) {
    const auto site = view_site(place);
    if (!site || !is_among(known, *site)) continue;
    const bool is_said = is_said_to_be_loop(choice) || is_marked_wait(*site);
    if (!is_said && judged_.is_no_loop(thread, site->key)) continue;
    auto loop = statistics(place, clock_, threshold_ticks_, clock_.now(), is_said,
                           judged_.lengths(thread, site->key));
    if (!loop) continue;
    loop->pid = thread.pid;
    loop->tid = thread.tid;
    loop->process = process ? process->name : "?";
    loop->thread = thread.name;
    loops.push_back(std::move(*loop));
  }
  return loops;
}

SessionStatus SessionStatistics::status() const {
  SessionStatus status;
  status.time = std::chrono::system_clock::now();
  status.processes = processes_.seen();
  status.threads = threads_.seen();
  status.loops = loops_;
  for (const WatchedThread* thread : threads_.all()) {
    const uint32_t now = thread->record->generation.load(std::memory_order_acquire);
    if (now != thread->generation) continue;
    for (LoopStatistics& loop : loops_of(*thread)) status.loops.push_back(std::move(loop));
  }
  return status;
}

}  // namespace tailback
