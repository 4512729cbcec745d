// The fields of records. What every record begins with, "schema" and "type", is not among them.
#pragma once

#include "runtime/report/note_text.h"
#include "runtime/report/value_fields.h"

namespace tailback {

// What the blocking of one loop by one call or computation has in common, a stall or not.
template <typename Visitor>
void blocked_loop_fields(Visitor& v, Stall& stall) {
  v(Field{"pid", "the process"}, stall.pid);
  v(Field{"tid", "the thread"}, stall.tid);
  v(Field{"process", "the process's name as the kernel has it"}, stall.process);
  v(Field{"thread", "the thread's name as the kernel has it"}, stall.thread);
  v(Field{"loop", "the event wait that makes the thread a loop", true}, stall.loop);
  v(Field{"iteration",
          "the name that the program gave the iteration (`tailback_iteration_name`); null: none"},
    or_null(stall.iteration));
  v(Field{"task",
          "name of the asyncio task that ran; null if none did, it is not known, or samples found "
          "several (`callbacks`)"},
    or_null(stall.task));
  v(Field{"cause",
          "`wait`: for another thread; `run-queue-wait`: ready to run, without a CPU; `throttled`: "
          "by a cgroup's quota; `page-fault`: paging; `many`: many small calls, see "
          "`contributors`",
          true},
    stall.cause);
  v(Field{"call",
          "the call that the thread was in: blocked or, if the cause is `cpu`, computing; null if "
          "in none"},
    stall.call);
  v(Field{"lock", "what the call waits for of other threads; null if it waits for none"},
    stall.lock);
  v(Field{"owners",
          "who holds that lock, as it was while the loop's thread waited; who holds what that one "
          "waits for; and so on to the end. Empty if nobody is known",
          false, true, kListedStacks},
    stall.owners);
  v(StackFields{stall.stack, stall.culprit, stall.stack_complete, kStackFrames, false});
}

template <typename Visitor>
void fields(Visitor& v, SessionStart& start) {
  v(Field{"version", "of Tailback"}, start.version);
  v(Field{"time", "when the session began"}, start.time);
  v(Field{"command",
          "the command and its arguments; empty under a bare `LD_PRELOAD`, where `pid` says which "
          "process it is"},
    start.command);
  v(Field{"pid", "of the first target"}, start.pid);
  v(Field{"observer_pid", "of the observer"}, start.observer_pid);
  v(Field{"host", "host name"}, start.host);
  v(Field{"threshold_ms", "iterations longer than this are stalls"}, start.threshold);
}

template <typename Visitor>
void fields(Visitor& v, Stall& stall) {
  v(Field{"id", "from 1, within the session; the same for all lines of one stall", true}, stall.id);
  v(Field{"state", "`unfinished`: the program ended inside the stall", true}, stall.state);
  v(Field{"time", "when the iteration began"}, stall.begin);
  v(Field{"duration_ms",
          "length of the iteration, without time in scopes that are allowed to block; so far, "
          "while `ongoing`",
          true},
    stall.duration);
  v(Field{"threshold_ms", "the threshold that it exceeded"}, stall.threshold);
  blocked_loop_fields(v, stall);
  v(Field{"samples", "how many times the stack was read during the stall"}, stall.samples);
  v(Field{"stacks", "the distinct ones of these stacks, most time first", false, true,
          kListedStacks},
    stall.stacks);
  v(Field{"callbacks",
          "the callbacks of the iteration that samples were taken in, distinct by task or "
          "function, "
          "most time first: at least so many ran; empty if not known",
          false, true, kListedStacks},
    stall.callbacks);
  v(Field{"pending_events",
          "events that were ready when the loop came back: who paid; null while `ongoing` or if "
          "unknown"},
    stall.pending_events);
  v(Field{"contributors", "the calls that took most of the iteration, most time first"},
    stall.contributors);
  v(Field{"spent", "where the time went, from the kernel's accounting; null if unknown"},
    or_null(stall.spent, !stall.spent.known, &stall.spent.known));
  v(Field{"limits", "what limits this report"}, stall.limits);
  v(Field{"advice", "one line"}, stall.advice);
  v(Field{"fingerprint", "equal for equal culprits, across runs"}, stall.fingerprint);
}

template <typename Visitor>
void fields(Visitor& v, BlockingCall& call) {
  v(Field{"kind",
          "`waited`: was seen to wait, longer than `--slow-call`; `may-block`: is able to wait "
          "without end, however quick it was",
          true},
    call.kind);
  v(Field{"state", "`seen`: for the first time; `sum`: all of this culprit", true}, call.state);
  v(Field{"count", "calls", true}, call.count);
  v(Field{"total_ms", "sum of their lengths"}, call.total);
  v(Field{"longest_ms", "the longest of them; what follows is of that call"},
    call.longest.duration);
  v(Field{"time", "when it began"}, call.longest.begin);
  v(Field{"last", "when the last of the calls began"}, call.last);
  blocked_loop_fields(v, call.longest);
  v(Field{"advice", "one line"}, call.longest.advice);
  v(Field{"fingerprint", "equal for equal culprits, across runs"}, call.longest.fingerprint);
}

template <typename Visitor>
void fields(Visitor& v, Deadlock& deadlock) {
  v(Field{"id", "from 1, within the session", true}, deadlock.id);
  v(Field{"kind",
          "`self`: a thread waits for what it holds itself; `lost-owner`: the lock's owner has "
          "ended, or the lock is a copy that a fork made",
          true},
    deadlock.kind);
  v(Field{"time", "when it was found"}, deadlock.time);
  v(Field{"lasted_ms", "for how long it had lasted by then; 0 if unknown"}, deadlock.held);
  v(Field{"threads",
          "the cycle in its order, then those that wait for it (`in_cycle` false), 32 at most of "
          "these",
          false, true},
    deadlock.threads);
  v(Field{"more_blocked", "threads that wait for these and are not listed"}, deadlock.more_blocked);
  v(Field{"limits", "what limits this report"}, deadlock.limits);
  v(Field{"advice", "one line"}, deadlock.advice);
  v(Field{"fingerprint", "equal for equal places, across runs"}, deadlock.fingerprint);
}

template <typename Visitor>
void fields(Visitor& v, LockOrder& order) {
  v(Field{"time", "of the acquisition that closed the cycle"}, order.time);
  v(Field{"pid", "whose locks they are"}, order.pid);
  v(Field{"process", "name of the process"}, or_null(order.process));
  v(Field{"locks", "the locks of the cycle", false, true}, order.locks);
  v(Field{"steps",
          "one acquisition each: what a step took is what the next one held, and the last took "
          "what the first held",
          false, true},
    order.steps);
  v(Field{"found_by",
          "`ThreadSanitizer`, which saw it in a program that is compiled for it; null: "
          "`--lock-order`"},
    or_null(order.found_by));
  v(Field{"advice", "one line"}, order.advice);
  v(Field{"fingerprint", "equal for equal places, across runs"}, order.fingerprint);
}

template <typename Visitor>
void fields(Visitor& v, Contention& contention) {
  v(Field{"pid", "whose lock it is"}, contention.pid);
  v(Field{"process", "name of the process"}, or_null(contention.process));
  v(Field{"lock", "the lock", true, true}, contention.lock);
  v(Field{"waits", "waits that have ended"}, contention.waits);
  v(Field{"total_ms", "their time in all"}, contention.total);
  v(Field{"longest_ms", "the longest of them"}, contention.longest);
  v(Field{"longest_hold_ms",
          "the longest hold that was seen: of those that began with a wait, or during which "
          "somebody waited; null: none was (a semaphore's)"},
    or_null(contention.longest_hold, !contention.hold_known, &contention.hold_known));
  v(Field{"longest_hold_at_least",
          "its beginning was not seen: it is counted from when somebody waited"},
    contention.hold_is_part);
  v(Field{"places", "where it was waited for; four at most, most time first", false, true},
    contention.places);
  v(Field{"waiters",
          "stacks that threads were seen with in waits of 4 ms and more, the heaviest three", false,
          true},
    contention.waiters);
  v(Field{"owners",
          "likewise, of the owners. Owners that run, and those that the lock doesn't name, are not "
          "seen",
          false, true},
    contention.owners);
}

template <typename Visitor>
void fields(Visitor& v, Race& race) {
  v(Field{"kind",
          "ThreadSanitizer's own word: `data-race`, `heap-use-after-free`, `mutex-double-lock`, …"},
    race.kind);
  v(Field{"found_by", "`ThreadSanitizer`"}, Sentence{"ThreadSanitizer"});
  v(Field{"time", "when it was found"}, race.time);
  v(Field{"pid", "in which process"}, race.pid);
  v(Field{"process", "its name"}, or_null(race.process));
  v(Field{"accesses", "the later one first", false, true}, race.accesses);
  v(Field{"stacks", "of reports that have no accesses", false, true}, race.stacks);
  v(Field{"location", "the memory", false, true}, race.location);
  v(Field{"mutexes", "that the report names", false, true}, race.mutexes);
  v(Field{"threads", "that the report names", false, true}, race.threads);
  v(Field{"sleep", "a sleep that seems to stand in for synchronization", false, true},
    or_null(race.sleep, race.sleep.stack.empty()));
  v(Field{"limits", "what limits this report"}, race.limits);
  v(Field{"advice", "one line"}, race.advice);
  v(Field{"fingerprint", "equal for equal places, across runs"}, race.fingerprint);
}

template <typename Visitor>
void fields(Visitor& v, NeverAwaited& found) {
  v(Field{"time", "when it was dropped; of Python when its interpreter warned"}, found.time);
  v(Field{"pid", "who dropped it: the process"}, found.pid);
  v(Field{"tid", "the thread"}, found.tid);
  v(Field{"process", "name of the process"}, or_null(found.process));
  v(Field{"thread", "name of the thread"}, or_null(found.thread));
  v(Field{"found_by",
          "`annotation`: the program's own marks (`tailback::LazyPromise` of tailback.h); "
          "`python`: "
          "a warning of Python's interpreter, read as it was written to standard error",
          true},
    found.found_by);
  v(Field{"coroutine", "its function"}, or_null(found.coroutine));
  v(StackFields{found.stack, found.culprit, found.stack_complete});
  v(Field{"advice", "one line"}, found.advice);
  v(Field{"fingerprint", "equal for equal places, across runs"}, found.fingerprint);
}

template <typename Visitor>
void fields(Visitor& v, Note& note) {
  v(Field{"kind",
          "`stopped`: a thread, within an iteration, by a signal or a debugger; `suspended`: the "
          "machine; `observer-late`: the observer was stopped or got no CPU (once a session); "
          "`after-loop`: a thread went on for longer than the threshold when its loop was over "
          "(once a loop); `program-end`: a program took longer than the threshold to end, by its "
          "runtime's teardown, exit handlers or a server's own shutdown (once a loop); "
          "`blocked-end`: a program that ends waits for a second or longer (again while it "
          "lasts)",
          true},
    note.kind);
  v(Field{"time", "when it was noticed"}, note.time);
  v(Field{"duration_ms", "how long; of `stopped` to some 20 ms; of `blocked-end` so far"},
    note.length);
  const bool of_thread = note.pid != 0;
  v(Field{"pid", "of all but `suspended` and `observer-late`"}, or_null(note.pid, !of_thread));
  v(Field{"tid", "likewise"}, or_null(note.tid, !of_thread));
  v(Field{"process", "likewise"}, or_null(note.process));
  v(Field{"thread", "likewise"}, or_null(note.thread));
  v(Field{"call", "of `blocked-end`: the call that it waits in"}, note.call);
  v(Field{"owners",
          "of `blocked-end`: for whom it waits, who holds what that one waits for, and so on; "
          "empty "
          "if nobody is known",
          false, true, kListedStacks},
    note.owners);
  v(Field{"others",
          "of `blocked-end`, where `owners` is empty: threads of the program that have not ended; "
          "one "
          "if it is known which is waited for, none if there are many",
          false, true, kListedStacks},
    note.others);
  v(StackFields{note.stack, note.culprit, note.stack_complete});
  v(Field{"text", "the same as a sentence"}, Sentence{note_text(note)});
}

template <typename Visitor>
void fields(Visitor& v, SessionStatus& status) {
  v(Field{"time", "when it was asked for"}, status.time);
  v(Field{"duration_ms", "of the session, so far"}, status.duration);
  v(Field{"stalls", "final stall lines so far"}, status.stalls);
  v(Field{"stalled_ms", "sum of their durations"}, status.stalled);
  v(Field{"processes", "that were watched"}, status.processes);
  v(Field{"threads", "that were watched"}, status.threads);
  v(Field{"loops", "those that have ended, too"}, status.loops);
}

template <typename Visitor>
void fields(Visitor& v, Losses& losses) {
  v(Field{"events", "long iterations that found the ring full: stalls that are missing here"},
    losses.events);
  v(Field{"threads", "that found no free record and were not watched"}, losses.threads);
  v(Field{"processes", "that found no free record and were not watched"}, losses.processes);
  v(Field{"programs",
          "that a target executed without the recorder: static, setuid, or with the environment "
          "cleared"},
    losses.programs);
  v(Field{"corrupt", "entries of the shared segment that made no sense"}, losses.corrupt);
  v(Field{"samples", "stalls of which no stack could be read"}, losses.samples);
  v(Field{"lock_acquisitions", "of `--lock-order`: acquisitions that found no room"},
    losses.lock_acquisitions);
  v(Field{"lock_programs",
          "of `--lock-order`: programs whose earlier acquisitions were dropped, as more than 256 "
          "programs took locks in new orders at once"},
    losses.lock_programs);
  v(Field{"lock_stacks", "of `--lock-order`: acquisitions without a stack"}, losses.lock_stacks);
  v(Field{"lock_waits", "of `--locks`: waits for locks that found no room"}, losses.lock_waits);
}

template <typename Visitor>
void fields(Visitor& v, SuppressionUse& use) {
  v(Field{"file", "the suppressions file"}, use.file);
  v(Field{"line", "of the file"}, use.line);
  v(Field{"rule", "its text"}, use.rule);
  v(Field{"matches", "records that it matches; two rules may match one; 0: it matched nothing"},
    use.matches);
}

template <typename Visitor>
void fields(Visitor& v, Counts& counts) {
  v(Field{"reported",
          "written, each once: of stalls the final lines, of blocking calls the culprits, of "
          "contention the locks that were waited for"},
    counts.reported);
  v(Field{"repeated", "like one that was reported, and only counted"}, counts.repeated);
  v(Field{"suppressed", "matched by rules of a suppressions file, and not written"},
    counts.suppressed);
  v(Field{"lost",
          "not written: no room, or not certain. Of blocking calls those that took as long but "
          "were "
          "not seen to wait; of lock-order inversions those whose locks lie where other locks may "
          "have been; of coroutines those whose maker could not be read in time"},
    counts.lost);
}

template <typename Visitor>
void fields(Visitor& v, KindCounts& counts) {
  v(Field{"stall", ""}, counts[RecordKind::kStall]);
  v(Field{"blocking_call", ""}, counts[RecordKind::kBlockingCall]);
  v(Field{"deadlock", ""}, counts[RecordKind::kDeadlock]);
  v(Field{"lock_order", ""}, counts[RecordKind::kLockOrder]);
  v(Field{"contention", ""}, counts[RecordKind::kContention]);
  v(Field{"race", ""}, counts[RecordKind::kRace]);
  v(Field{"never_awaited", ""}, counts[RecordKind::kNeverAwaited]);
}

template <typename Visitor>
void fields(Visitor& v, SessionEnd& end) {
  v(Field{"time", "when the session ended"}, end.time);
  v(Field{"duration_ms", "of the session"}, end.duration);
  v(Field{"exit_status", "of the command, if it exited"}, end.exit_status);
  v(Field{"signal", "that killed the command"}, end.signal);
  v(Field{"counts", "what was reported of each kind, and what was not"}, end.counts);
  v(Field{"stalled_ms", "sum of the durations of the stalls that were reported"}, end.stalled);
  v(Field{"suppressed_ms", "sum of the durations of the stalls that were suppressed"},
    end.suppressed_time);
  v(Field{"processes", "that were watched"}, end.processes);
  v(Field{"threads", "that were watched"}, end.threads);
  v(Field{"longest_pause_ms",
          "the longest time that a thread of the target was stopped to be read; 0: none was. More "
          "than the limit of 1 ms only if the machine took the thread's CPU away meanwhile"},
    end.longest_pause);
  v(Field{"losses", "what could not be recorded; all 0: nothing was lost"}, end.losses);
  v(Field{"loops", "every event loop"}, end.loops);
  v(Field{"suppressions", "every rule; empty without a file"}, end.suppressions);
  v(Field{"unused_options",
          "each `--loop GLOB` of which no thread completed an iteration, and each `--not-loop "
          "GLOB` that "
          "matched no thread which waits for events"},
    end.unused_options);
}

}  // namespace tailback
