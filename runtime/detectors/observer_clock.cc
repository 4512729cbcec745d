#include "runtime/detectors/observer_clock.h"

#include <algorithm>
#include <utility>

namespace tailback {

using std::chrono::milliseconds;

namespace {

// An observer that is late by less than this misses nothing.
constexpr Nanoseconds kLateness = milliseconds(100);

}  // namespace

ObserverClock::ObserverClock(DetectorInput& input, Nanoseconds threshold, Nanoseconds interval,
                             Emit emit)
    : clock_(input.clock()),
      threshold_(threshold),
      interval_(interval),
      emit_(std::move(emit)),
      suspensions_([&proc = input.proc()] { return proc.clocks(); }) {}

void ObserverClock::emit_note(NoteKind kind, uint64_t tick, Nanoseconds length) {
  Note note;
  note.kind = kind;
  note.time = clock_.wall_time(tick);
  note.length = length;
  emit_(NoteSeen{std::move(note)});
}

void ObserverClock::poll() {
  const uint64_t now = clock_.now();
  const uint64_t last = std::exchange(last_poll_, now);
  const Nanoseconds since_last = clock_.duration(now - std::min(now, last));
  const auto suspended = suspensions_.look(now, since_last);
  if (suspended) emit_note(NoteKind::kSuspended, now, *suspended);
  // The rate can't be measured over a time in which only one of the two clocks went on.
  if (++polls_ % 64 == 0 && !suspensions_.any()) clock_.refine();
  const Nanoseconds late = since_last - 2 * interval_ - suspensions_.within(last, now);
  if (late <= std::max<Nanoseconds>(threshold_, kLateness)) return;
  late_ = late;
  late_after_ = last;
  late_until_ = now;
  if (!std::exchange(late_reported_, true)) emit_note(NoteKind::kObserverLate, now, late);
}

Nanoseconds ObserverClock::not_counted(const IterationTracker* iteration, uint64_t begin_tick,
                                       uint64_t end_tick) const {
  const Nanoseconds stopped = iteration ? iteration->stopped() : Nanoseconds{};
  const Nanoseconds suspended = suspensions_.within(begin_tick, end_tick);
  // A suspension that is longer than the iteration lies beside it, between the same two polls.
  const bool lies_within = suspended <= clock_.duration(end_tick - begin_tick);
  return lies_within ? stopped + suspended : stopped;
}

void ObserverClock::note_stop(const WatchedThread& thread, const std::string& process,
                              const IterationTracker& iteration) {
  if (iteration.stopped() <= Nanoseconds::zero()) return;
  const uint64_t now = clock_.now();
  uint64_t& reported = stops_reported_[thread.pid];
  if (std::exchange(reported, now) > iteration.begin_tick()) return;
  Note note;
  note.kind = NoteKind::kStopped;
  note.time = clock_.wall_time(now);
  note.length = iteration.stopped();
  note.pid = thread.pid;
  note.tid = thread.tid;
  note.process = process;
  note.thread = thread.name;
  emit_(NoteSeen{std::move(note)});
}

void ObserverClock::add_limits(StallSeen& stall, const IterationTracker* iteration,
                               uint64_t begin_tick) const {
  if (iteration && iteration->stopped() > Nanoseconds::zero()) {
    stall.limits.push_back({LimitKind::kStopped, iteration->stopped()});
  }
  const uint64_t end_tick = begin_tick + clock_.ticks(stall.duration);
  const Nanoseconds suspended = suspensions_.within(begin_tick, end_tick);
  if (suspended > Nanoseconds::zero()) {
    stall.limits.push_back({LimitKind::kSuspended, suspended});
  }
  if (late_after_ < end_tick && late_until_ > begin_tick) {
    stall.limits.push_back({LimitKind::kObserverLate, late_});
  }
}

}  // namespace tailback
