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

void Watcher::poll_clocks(uint64_t now, Nanoseconds since_last) {
  const auto told = [&](NoteKind kind, Nanoseconds length) {
    Note note;
    note.kind = kind;
    note.time = clock_.wall_time(now);
    note.length = length;
    emit_(NoteSeen{std::move(note)});
  };
  const auto suspended = suspensions_.look(now, since_last);
  if (suspended) told(NoteKind::kSuspended, *suspended);
  const Nanoseconds late = since_last - 2 * interval() - suspensions_.within(last_poll_, now);
  if (late <= std::max<Nanoseconds>(threshold_, kLateness)) return;
  late_ = late;
  late_after_ = last_poll_;
  late_until_ = now;
  if (!std::exchange(reported_late_, true)) told(NoteKind::kObserverLate, late);
}

Nanoseconds Watcher::not_counted(const IterationTracker* iteration, uint64_t begin_tick,
                                 uint64_t end_tick) const {
  const Nanoseconds stopped = iteration ? iteration->stopped() : Nanoseconds{};
  const Nanoseconds suspended = suspensions_.within(begin_tick, end_tick);
  // A suspension that is longer than the iteration lies beside it, between the same two looks.
  const bool lies_within = suspended <= clock_.duration(end_tick - begin_tick);
  return lies_within ? stopped + suspended : stopped;
}

void Watcher::note_stop(const WatchedThread& thread, const IterationTracker& iteration) {
  if (iteration.stopped() <= Nanoseconds::zero()) return;
  const uint64_t now = clock_.now();
  uint64_t& told = stops_reported_[thread.pid];
  if (std::exchange(told, now) > iteration.begin_tick()) return;
  Note note;
  note.kind = NoteKind::kStopped;
  note.time = clock_.wall_time(now);
  note.length = iteration.stopped();
  note.pid = thread.pid;
  note.tid = thread.tid;
  const ProcessFacts* process = processes_.find(thread.process);
  note.process = process ? process->name : "?";
  note.thread = thread.name;
  emit_(NoteSeen{std::move(note)});
}

void Watcher::note_allowed(StallSeen& stall, Nanoseconds allowed) {
  if (allowed <= Nanoseconds::zero()) return;
  stall.notes.push_back(
      fmt::format("{} ms more in a scope that is allowed to block, which are not counted",
                  whole_milliseconds(allowed)));
}

void Watcher::add_notes(StallSeen& stall, const IterationTracker* iteration,
                        uint64_t begin_tick) const {
  if (iteration && iteration->stopped() > Nanoseconds::zero()) {
    stall.notes.push_back(
        fmt::format("stopped from outside for about {} ms of the iteration, which are not counted",
                    whole_milliseconds(iteration->stopped())));
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
