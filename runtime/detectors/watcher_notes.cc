// What the watcher has to say that is no stall: time that does not count, and its own lateness.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/detectors/watcher.h"

namespace tailback {

using std::chrono::milliseconds;

namespace {

// An observer that is late by less than this misses nothing.
constexpr Nanoseconds kLateness = milliseconds(100);

int64_t whole_milliseconds(Nanoseconds length) {
  return std::chrono::round<milliseconds>(length).count();
}

}  // namespace

void Watcher::look_at_clocks(uint64_t now, Nanoseconds since_last) {
  const auto told = [&](NoteKind kind, Nanoseconds length) {
    Note note;
    note.kind = kind;
    note.time = clock_.wall_time(now);
    note.length = length;
    receiver_.note(std::move(note));
  };
  const auto suspended = suspensions_.look(now, since_last);
  if (suspended) told(NoteKind::kSuspended, *suspended);
  const Nanoseconds late = since_last - 2 * interval() - suspensions_.within(last_look_, now);
  if (late <= std::max<Nanoseconds>(threshold_, kLateness)) return;
  late_ = late;
  late_after_ = last_look_;
  late_until_ = now;
  if (!std::exchange(told_late_, true)) told(NoteKind::kObserverLate, late);
}

Nanoseconds Watcher::not_counted(const TurnTracker* turn, uint64_t begin_tick,
                                 uint64_t end_tick) const {
  const Nanoseconds stopped = turn ? turn->stopped() : Nanoseconds{};
  const Nanoseconds suspended = suspensions_.within(begin_tick, end_tick);
  // A suspension that is longer than the turn lies beside it, between the same two looks.
  const bool lies_within = suspended <= clock_.duration(end_tick - begin_tick);
  return lies_within ? stopped + suspended : stopped;
}

void Watcher::note_stop(const WatchedThread& thread, const TurnTracker& turn) {
  if (turn.stopped() <= Nanoseconds::zero()) return;
  const uint64_t now = clock_.now();
  uint64_t& told = stops_told_[thread.pid];
  if (std::exchange(told, now) > turn.begin_tick()) return;
  Note note;
  note.kind = NoteKind::kStopped;
  note.time = clock_.wall_time(now);
  note.length = turn.stopped();
  note.pid = thread.pid;
  note.tid = thread.tid;
  const ProcessFacts* process = processes_.find(thread.process);
  note.process = process ? process->name : "?";
  note.thread = thread.name;
  receiver_.note(std::move(note));
}

void Watcher::note_allowed(StallObservation& stall, Nanoseconds allowed) {
  if (allowed <= Nanoseconds::zero()) return;
  stall.notes.push_back(
      fmt::format("{} ms more in a scope that is allowed to block, which are not counted",
                  whole_milliseconds(allowed)));
}

void Watcher::add_notes(StallObservation& stall, const TurnTracker* turn,
                        uint64_t begin_tick) const {
  if (turn && turn->stopped() > Nanoseconds::zero()) {
    stall.notes.push_back(
        fmt::format("stopped from outside for about {} ms of the turn, which are not counted",
                    whole_milliseconds(turn->stopped())));
  }
  const uint64_t end_tick = begin_tick + clock_.ticks(stall.duration);
  const Nanoseconds suspended = suspensions_.within(begin_tick, end_tick);
  if (suspended > Nanoseconds::zero()) {
    stall.notes.push_back(
        fmt::format("the machine was suspended for {} ms meanwhile, which are not counted",
                    whole_milliseconds(suspended)));
  }
  if (late_after_ < end_tick && late_until_ > begin_tick) {
    stall.notes.push_back(
        fmt::format("the observer itself was {} ms late: the length is exact, but what happened "
                    "meanwhile was not seen",
                    whole_milliseconds(late_)));
  }
}

}  // namespace tailback
