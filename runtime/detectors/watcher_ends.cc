// The ends of long iterations: who paid for them, and those that nobody saw the end of.
#include <algorithm>
#include <utility>

#include "runtime/detectors/watcher.h"
#include "runtime/segment/record_view.h"

namespace tailback {

using contract::ThreadRecord;
using std::chrono::milliseconds;

namespace {

// Runs, or would if it had a CPU.
bool is_ready(ProcSource& proc, int pid, int tid) {
  const auto stat = proc.thread_stat(pid, tid);
  return stat && stat->state == 'R';
}

}  // namespace

// The iteration at this place is over, and its event has not come. It was short or made void,
// unless the event is still on its way or was lost. It is on its way for as long as the thread has
// no CPU to send it, and at the latest comes before the next iteration here.
void Watcher::forget_iteration(WatchedThread& thread, unsigned place, const SiteView& site) {
  constexpr unsigned kFewSamples = 3;
  constexpr unsigned kManySamples = 300;
  auto& iteration = thread.iterations[place];
  const unsigned looks = ++iteration->polls_since_end;
  if (looks < kFewSamples) return;
  if (site.iteration_begin == 0 && looks < kManySamples && is_ready(proc_, thread.pid, thread.tid))
    return;
  note_stop(thread, *iteration);
  if (iteration->stall_id != 0) {
    StallSeen observation =
        observe(thread, site, iteration->begin_tick(),
                iteration->last_age -
                    std::min(iteration->last_age, iteration->stopped() + iteration->allowed()),
                &*iteration);
    observation.id = iteration->stall_id;
    observation.notes.push_back(
        "the iteration's end was not recorded: the length is a lower bound");
    emit_(std::move(observation));
  }
  iteration.reset();
}

void Watcher::on_pending_events(const contract::Event& event) {
  for (EndedIteration& ended : ended_) {
    if (ended.event.record == event.record && ended.event.generation == event.generation &&
        ended.event.key == event.key && ended.event.iteration == event.iteration) {
      ended.observation.pending_events = event.ready;
    }
  }
}

void Watcher::settle_ended_iterations(bool all) {
  constexpr unsigned kPatience = 3;
  std::erase_if(ended_, [&](EndedIteration& ended) {
    if (!ended.observation.pending_events) {
      // A thread that sits in the wait which followed found nothing ready.
      const ThreadRecord& record = segment_.threads[ended.event.record];
      const auto call = view_call(record.call);
      const bool still_waits =
          call && call->entered == ended.event.end_tick && tracks_iterations(call->function);
      if (still_waits && clock_.duration(clock_.now() - ended.event.end_tick) > milliseconds(2)) {
        ended.observation.pending_events = 0;
      }
    }
    if (!all && !ended.observation.pending_events && ++ended.looks < kPatience) return false;
    emit_(std::move(ended.observation));
    return true;
  });
}

void Watcher::end_unfinished(const WatchedThread& thread, const IterationTracker& iteration,
                             const SiteView& site, Ending ending) {
  // A thread or a process that ends by itself may have left its loop long before: only an iteration
  // that was seen to hold up an open loop counts, and of a thread only what was reported already.
  note_stop(thread, iteration);
  if (iteration.stall_id == 0 && (ending == Ending::kThread || !iteration.confirmed)) return;
  const uint64_t now = clock_.now();
  const Nanoseconds age = ending == Ending::kThread
                              ? iteration.last_age
                              : clock_.duration(now - std::min(now, iteration.begin_tick()));
  const Nanoseconds less =
      not_counted(&iteration, iteration.begin_tick(), now) + iteration.allowed();
  StallSeen observation =
      observe(thread, site, iteration.begin_tick(), age - std::min(age, less), &iteration);
  note_allowed(observation, iteration.allowed());
  observation.state = StallState::kUnfinished;
  observation.id = iteration.stall_id != 0 ? iteration.stall_id : next_id_++;
  observation.notes.push_back(ending == Ending::kSession  ? "still going on when observing ended"
                              : ending == Ending::kThread ? "the thread ended inside it"
                                                          : "the process ended inside it");
  emit_(std::move(observation));
}

}  // namespace tailback
