// What the watcher says of a session as a whole, at its end and before.
#include "runtime/detectors/watcher.h"

namespace tailback {

std::vector<LoopStatistics> Watcher::loops_of(const WatchedThread& thread,
                                              const contract::ThreadRecord& record) const {
  std::vector<LoopStatistics> loops;
  const ProcessFacts* process = processes_.find(thread.process);
  const LoopChoice choice = choice_of(thread, record);
  const std::vector<SiteView> known =
      loops_among(choice, view_sites(record), record, threshold_ticks_);
  for (const contract::WaitSite& place : record.wait_sites) {
    const auto site = view_site(place);
    if (!site || !is_among(known, *site)) continue;
    auto loop = statistics(place, clock_, threshold_ticks_, clock_.now(),
                           is_said_to_be_loop(choice) || is_marked_wait(*site));
    if (!loop) continue;
    loop->pid = thread.pid;
    loop->tid = thread.tid;
    loop->process = process ? process->name : "?";
    loop->thread = thread.name;
    loops.push_back(std::move(*loop));
  }
  return loops;
}

SessionStatus Watcher::status() const {
  SessionStatus status;
  status.time = clock_.wall_time(clock_.now());
  status.processes = processes_.seen();
  status.threads = seen_threads_;
  status.loops = loops_;
  for (const auto& [index, thread] : threads_) {
    const contract::ThreadRecord& record = segment_.threads[index];
    if (record.generation.load(std::memory_order_acquire) != thread.generation) continue;
    for (LoopStatistics& loop : loops_of(thread, record)) status.loops.push_back(std::move(loop));
  }
  return status;
}

SessionEnd Watcher::summary() const {
  SessionEnd end;
  end.processes = processes_.seen();
  end.threads = seen_threads_;
  end.longest_hold = clock_.duration(longest_pause_ticks_);
  end.losses.events = segment_.header.ring_dropped.load() + ring_.stepped_over();
  end.losses.threads = segment_.header.threads_missed.load();
  end.losses.processes = segment_.header.processes_missed.load();
  end.losses.programs = processes_.lost_programs();
  end.races.lost = findings_.lost();
  end.losses.corrupt = corrupt_;
  end.losses.samples = unread_stalls_;
  end.loops = loops_;
  end.unused_options = loop_names_.unused();
  end.blocking_calls.unseen = blocking_calls_.is_on() ? blocking_calls_.unseen() : 0;
  return end;
}

}  // namespace tailback
