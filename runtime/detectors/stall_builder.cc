#include "runtime/detectors/stall_builder.h"

#include <algorithm>

#include "runtime/locks/owner_chain.h"

namespace tailback {

using std::chrono::seconds;

void note_allowed(StallSeen& stall, Nanoseconds allowed) {
  if (allowed <= Nanoseconds::zero()) return;
  stall.limits.push_back({LimitKind::kAllowedToBlock, allowed});
}

std::string StallBuilder::process_name(const WatchedThread& thread) const {
  const ProcessFacts* process = processes_.find(thread.process);
  return process ? process->name : "?";
}

Nanoseconds StallBuilder::first_report_age() const {
  return std::max<Nanoseconds>(threshold_ * 10, seconds(1));
}

std::shared_ptr<const Sample> StallBuilder::sample(const WatchedThread& thread) {
  auto sample = input_.sampler().take(thread.index, thread.pid, thread.tid);
  if (sample->call) add_owners(input_, thread.pid, thread.tid, *sample);
  return sample;
}

StallSeen StallBuilder::build(const WatchedThread& thread, const SiteView& site,
                              uint64_t begin_tick, Nanoseconds duration,
                              const IterationTracker* iteration) {
  const Clock& clock = input_.clock();
  StallSeen stall;
  stall.begin = clock.wall_time(begin_tick);
  stall.iteration_id = {thread.index, thread.generation, site.key,
                        iteration ? iteration->begin_tick() : begin_tick};
  stall.pid = thread.pid;
  stall.tid = thread.tid;
  stall.process = process_name(thread);
  stall.thread = thread.name;
  stall.loop.wait = intercept::kFunctions[static_cast<uint32_t>(site.function)].name;
  stall.loop.fd = site.epoll_fd();
  stall.duration = duration;
  stall.threshold = threshold_;
  stall.modules = input_.sampler().modules(thread.pid, RemoteAddress());
  for (const ContributorView& entry : site.contributors) {
    stall.contributors.push_back({entry.function, entry.call_site, entry.count,
                                  clock.duration(entry.total_ticks),
                                  clock.duration(entry.longest_ticks)});
  }
  stall.call = view_call(thread.record->call);
  stall.other_calls = clock.duration(site.other_ticks);
  if (iteration) {
    stall.wait = iteration->wait();
    stall.samples = iteration->samples();
    stall.spent = iteration->spent(duration);
  }
  health_.add_limits(stall, iteration, begin_tick);
  return stall;
}

}  // namespace tailback
