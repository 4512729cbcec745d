// The ends of long turns: who paid for them, and those that nobody saw the end of.
#include <algorithm>
#include <utility>

#include "runtime/kernel/kernel_view.h"
#include "runtime/segment/record_view.h"
#include "runtime/detectors/watcher.h"

namespace tailback {

using contract::ThreadRecord;
using std::chrono::milliseconds;

namespace {

// Runs, or would if it had a CPU.
bool is_ready(int pid, int tid) {
  const auto stat = read_thread_stat(pid, tid);
  return stat && stat->state == 'R';
}

}  // namespace

// The turn at this place is over, and its event has not come. It was short or made void, unless the
// event is still on its way or was lost. It is on its way for as long as the thread has no CPU to
// send it, and at the latest comes before the next turn here.
void Watcher::forget_turn(WatchedThread& thread, unsigned place, const SiteView& site) {
  constexpr unsigned kFewLooks = 3;
  constexpr unsigned kManyLooks = 300;
  auto& turn = thread.turns[place];
  const unsigned looks = ++turn->looks_since_end;
  if (looks < kFewLooks) return;
  if (site.turn_begin == 0 && looks < kManyLooks && is_ready(thread.pid, thread.tid)) return;
  note_stop(thread, *turn);
  if (turn->stall_id != 0) {
    StallObservation observation = observe(
        thread, site, turn->begin_tick(),
        turn->last_age - std::min(turn->last_age, turn->stopped() + turn->allowed()), &*turn);
    observation.id = turn->stall_id;
    observation.notes.push_back("the turn's end was not recorded: the length is a lower bound");
    receiver_.stall(std::move(observation));
  }
  turn.reset();
}

void Watcher::on_backlog(const contract::Event& event) {
  for (EndedTurn& ended : ended_) {
    if (ended.event.record == event.record && ended.event.generation == event.generation &&
        ended.event.key == event.key && ended.event.turn == event.turn) {
      ended.observation.backlog = event.ready;
    }
  }
}

void Watcher::settle_ended_turns(bool all) {
  constexpr unsigned kPatience = 3;
  std::erase_if(ended_, [&](EndedTurn& ended) {
    if (!ended.observation.backlog) {
      // A thread that sits in the wait which followed found nothing ready.
      const ThreadRecord& record = segment_.threads[ended.event.record];
      const auto call = view_call(record.call);
      const bool still_waits =
          call && call->entered == ended.event.end_tick && keeps_turns(call->function);
      if (still_waits && clock_.duration(clock_.now() - ended.event.end_tick) > milliseconds(2)) {
        ended.observation.backlog = 0;
      }
    }
    if (!all && !ended.observation.backlog && ++ended.looks < kPatience) return false;
    receiver_.stall(std::move(ended.observation));
    return true;
  });
}

void Watcher::end_unfinished(const WatchedThread& thread, const TurnTracker& turn,
                             const SiteView& site, Ending ending) {
  // A thread or a process that ends by itself may have left its loop long before: only a turn that
  // was seen to hold up an open loop counts, and of a thread only what was reported already.
  note_stop(thread, turn);
  if (turn.stall_id == 0 && (ending == Ending::kThread || !turn.confirmed)) return;
  const uint64_t now = clock_.now();
  const Nanoseconds age = ending == Ending::kThread
                              ? turn.last_age
                              : clock_.duration(now - std::min(now, turn.begin_tick()));
  const Nanoseconds less = not_counted(&turn, turn.begin_tick(), now) + turn.allowed();
  StallObservation observation =
      observe(thread, site, turn.begin_tick(), age - std::min(age, less), &turn);
  note_allowed(observation, turn.allowed());
  observation.state = StallState::kUnfinished;
  observation.id = turn.stall_id != 0 ? turn.stall_id : next_id_++;
  observation.notes.push_back(ending == Ending::kSession  ? "still going on when observing ended"
                              : ending == Ending::kThread ? "the thread ended inside it"
                                                          : "the process ended inside it");
  receiver_.stall(std::move(observation));
}

}  // namespace tailback
