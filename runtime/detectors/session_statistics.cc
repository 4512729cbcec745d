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
  for (Loop& loop : loops_of(thread)) {
    if (loops_.size() < kMostLoops) loops_.push_back(std::move(loop));
  }
  judged_.forget(thread);
}

void SessionStatistics::on_verdict(const AnalysisVerdict& verdict) {
  const auto* const length = std::get_if<LengthJudged>(&verdict);
  if (!length) return;
  const IterationId& id = length->iteration;
  const auto apply = [&](JudgedSite& site) {
    site.lengths.shorten(clock_.ticks(length->length), clock_.ticks(length->counts));
    if (!length->is_loop) site.judge(false);
  };
  if (JudgedSite* const site = judged_.find(id.record, id.generation, id.key)) apply(*site);
  for (Loop& loop : loops_) {
    if (loop.record == id.record && loop.generation == id.generation &&
        loop.recorded.site.key == id.key) {
      apply(loop.judged);
    }
  }
}

std::vector<LoopStatistics> SessionStatistics::loops() const {
  std::vector<LoopStatistics> all;
  for (const Loop& loop : loops_) add(loop, all);
  return all;
}

void SessionStatistics::add(const Loop& loop, std::vector<LoopStatistics>& all) const {
  if (!loop.is_said && loop.judged.is_no_loop()) return;
  LoopStatistics of_loop =
      statistics(loop.recorded, clock_, threshold_ticks_, loop.last_tick, &loop.judged.lengths);
  of_loop.pid = loop.who.pid;
  of_loop.tid = loop.who.tid;
  of_loop.process = loop.who.process;
  of_loop.thread = loop.who.thread;
  all.push_back(std::move(of_loop));
}

Nanoseconds SessionStatistics::longest_pause() const {
  return clock_.duration(longest_pause_ticks_);
}

std::vector<SessionStatistics::Loop> SessionStatistics::loops_of(
    const WatchedThread& thread) const {
  std::vector<Loop> loops;
  const contract::ThreadRecord& record = *thread.record;
  const ProcessFacts* process = processes_.find(thread.process);
  const LoopChoice choice = thread.choice();
  const std::vector<SiteView> known =
      loops_among(choice, view_sites(record), record, threshold_ticks_);
  for (const contract::WaitSite& place : record.wait_sites) {
    const auto site = view_site(place);
    if (!site || !is_among(known, *site)) continue;
    Loop loop;
    loop.is_said = is_said_to_be_loop(choice) || is_marked_wait(*site);
    auto recorded = recorded_loop(place, threshold_ticks_, loop.is_said);
    if (!recorded) continue;
    loop.record = thread.index;
    loop.generation = thread.generation;
    loop.recorded = std::move(*recorded);
    loop.last_tick = clock_.now();
    loop.who.pid = thread.pid;
    loop.who.tid = thread.tid;
    loop.who.process = process ? process->name : "?";
    loop.who.thread = thread.name;
    if (const JudgedSite* judged = judged_.find(thread, site->key)) loop.judged = *judged;
    loops.push_back(std::move(loop));
  }
  return loops;
}

SessionStatus SessionStatistics::status() const {
  SessionStatus status;
  status.time = std::chrono::system_clock::now();
  status.processes = processes_.seen();
  status.threads = threads_.seen();
  status.loops = loops();
  for (const WatchedThread* thread : threads_.all()) {
    const uint32_t now = thread->record->generation.load(std::memory_order_acquire);
    if (now != thread->generation) continue;
    for (const Loop& loop : loops_of(*thread)) add(loop, status.loops);
  }
  return status;
}

}  // namespace tailback
