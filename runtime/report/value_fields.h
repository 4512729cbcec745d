// The fields of the values that records are made of.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "runtime/report/field.h"
#include "runtime/report/limit_text.h"
#include "runtime/values/record.h"

namespace tailback {

// The words of an enumeration, as recordings have them.
constexpr std::span<const std::string_view> words_of(Cause) {
  return kCauseWords;
}
constexpr std::span<const std::string_view> words_of(StallState) {
  return kStallStateWords;
}
constexpr std::span<const std::string_view> words_of(BlockingCallKind) {
  return kBlockingCallKindWords;
}
constexpr std::span<const std::string_view> words_of(BlockingCallState) {
  return kBlockingCallStateWords;
}
constexpr std::span<const std::string_view> words_of(DeadlockKind) {
  return kDeadlockKindWords;
}
constexpr std::span<const std::string_view> words_of(LockKind) {
  return kLockKindWords;
}
constexpr std::span<const std::string_view> words_of(OwnerState) {
  return kOwnerStateWords;
}
constexpr std::span<const std::string_view> words_of(NoteKind) {
  return kNoteKindWords;
}
constexpr std::span<const std::string_view> words_of(NeverAwaitedBy) {
  return kNeverAwaitedByWords;
}
constexpr std::span<const std::string_view> words_of(LimitKind) {
  return kLimitKindWords;
}
constexpr std::span<const std::string_view> words_of(Limit) {
  return kLimitWords;
}
constexpr std::span<const std::string_view> words_of(Model) {
  return kModelWords;
}
constexpr std::span<const std::string_view> words_of(Confidence) {
  return kConfidenceWords;
}

// What a value is called in the schema and on the page.
template <typename Value>
struct ValueName;
#define TAILBACK_VALUE_NAME(TYPE, NAME)        \
  template <>                                  \
  struct ValueName<TYPE> {                     \
    static constexpr const char* kName = NAME; \
  }
TAILBACK_VALUE_NAME(Frame, "frame");
TAILBACK_VALUE_NAME(BlockedCall, "call");
TAILBACK_VALUE_NAME(Lock, "lock");
TAILBACK_VALUE_NAME(LockOwner, "owner");
TAILBACK_VALUE_NAME(LoopIdentity, "loop");
TAILBACK_VALUE_NAME(ContributorShare, "contributor");
TAILBACK_VALUE_NAME(TimeSpent, "time_spent");
TAILBACK_VALUE_NAME(SampledCallback, "sampled_callback");
TAILBACK_VALUE_NAME(SampledStack, "sampled_stack");
TAILBACK_VALUE_NAME(ReportLimit, "limit");
TAILBACK_VALUE_NAME(DeadlockedThread, "deadlocked_thread");
TAILBACK_VALUE_NAME(OrderedLock, "ordered_lock");
TAILBACK_VALUE_NAME(LockStep, "lock_step");
TAILBACK_VALUE_NAME(ContentionPlace, "contention_place");
TAILBACK_VALUE_NAME(ContentionStack, "contention_stack");
TAILBACK_VALUE_NAME(RaceStack, "race_stack");
TAILBACK_VALUE_NAME(RaceThread, "race_thread");
TAILBACK_VALUE_NAME(RaceAccess, "race_access");
TAILBACK_VALUE_NAME(RaceLocation, "race_location");
TAILBACK_VALUE_NAME(RaceMutex, "race_mutex");
TAILBACK_VALUE_NAME(LoopStatistics, "loop_statistics");
TAILBACK_VALUE_NAME(Losses, "losses");
TAILBACK_VALUE_NAME(SuppressionUse, "suppression");
TAILBACK_VALUE_NAME(Counts, "kind_counts");
TAILBACK_VALUE_NAME(KindCounts, "counts");
TAILBACK_VALUE_NAME(ThreadTime, "thread_time");
TAILBACK_VALUE_NAME(ProgramTime, "program_time");
TAILBACK_VALUE_NAME(InFlight, "in_flight");
TAILBACK_VALUE_NAME(Spawning, "spawning");
TAILBACK_VALUE_NAME(LoopTrouble, "loop_trouble");
TAILBACK_VALUE_NAME(Measurement, "measurement");
#undef TAILBACK_VALUE_NAME

template <typename Visitor>
void fields(Visitor& v, Frame& frame) {
  v(Field{"function", "demangled; null if no symbol covers the address"}, or_null(frame.function));
  v(Field{"file", "source file as the debug information, or the interpreter, names it"},
    or_null(frame.file));
  v(Field{"line", "from 1"}, or_null(frame.line, frame.line <= 0));
  v(Field{"module", "path of the mapped file; null for JIT code and other anonymous memory"},
    or_null(frame.module));
  v(Field{"offset",
          "address within the module as `addr2line -e MODULE` takes it, hexadecimal "
          "(`\"0x4f20\"`); the address itself where `module` is null. A string, for many JSON "
          "readers would round a large number"},
    Hex{frame.offset});
  v(Field{"inlined", "this function was inlined into the next outer frame"}, frame.inlined);
  v(Field{"language",
          "`native`, or the language that an interpreter runs there: `python`, `javascript`, or "
          "that a perf map names: `javascript`, `java`. An interpreted frame has a function (of "
          "Python the qualified name, before 3.11 the plain one; of JavaScript the name, the one "
          "that V8 infers, or `<anonymous>`), mostly a file and a line (of JavaScript that an "
          "optimizing compiler has compiled the line where the function begins), and no module; "
          "it stands in the place of the interpreter's native frame"},
    frame.language);
}

template <typename Visitor>
void fields(Visitor& v, LoopIdentity& loop) {
  v(Field{"wait",
          "the function in which the loop waits for events: `epoll_wait`, `poll`, …; "
          "`tailback_wait`: its own way, which it marks"},
    loop.wait);
  v(Field{"fd", "the epoll descriptor; null for poll and select"}, or_null(loop.fd, loop.fd < 0));
}

template <typename Visitor>
void fields(Visitor& v, BlockedCall& call) {
  v(Field{"function", "the libc function or system call"}, call.function);
  v(Field{"arguments", "name → integer or string, as far as they are known"},
    Arguments{call.arguments});
  v(Field{"object", "what it waited on: a file, a peer, a host, a child, a lock"},
    or_null(call.object));
  v(Field{"intercepted", "false: seen in /proc only (an inline system call, …)"}, call.intercepted);
  v(Field{"owner_stack",
          "what the thread that holds the lock runs, innermost first; empty if unknown. Of "
          "Python's lock (cause `gil`), and of others whose owner is known and stands still in "
          "Python",
          false, true, kListedFrames},
    call.owner_stack);
}

template <typename Visitor>
void fields(Visitor& v, Lock& lock) {
  v(Field{"kind",
          "`file`: flock, fcntl, lockf; `stream`: the lock in a FILE; `thread`: its end is waited "
          "for",
          true},
    lock.kind);
  v(Field{"type",
          "what a pthread lock was made as, where it is not the plain one (`recursive, robust`; "
          "`error-checking`, `adaptive`, `priority-inheriting`, `priority-protecting`, "
          "`process-shared`); of a read-write lock `read` or `write`, as the call wants it; of a "
          "file the function"},
    or_null(lock.type));
  v(Field{"name",
          "the symbol that covers it (`cache_mutex`, `table+40`); else the address and what it "
          "lies in (`0x55d0 [heap]`, `0x7f10 [a word of the thread that waits]` by which "
          "parking_lot and Abseil wait for a lock that is elsewhere); a file's path; a thread's "
          "name and id"},
    or_null(lock.name));
  v(Field{"address", "hexadecimal"}, Hex{lock.address, lock.address == 0, true});
  v(Field{"holders", "what is known where no owner is recorded: `held by 3 readers`"},
    or_null(lock.holders));
}

template <typename Visitor>
void fields(Visitor& v, LockOwner& owner) {
  v(Field{"pid", "its process"}, owner.pid);
  v(Field{"tid", "null where only the process is known (a file's lock)"},
    or_null(owner.tid, owner.tid <= 0));
  v(Field{"process", "name of the process"}, or_null(owner.process));
  v(Field{"thread", "name of the thread"}, or_null(owner.thread));
  v(Field{"state",
          "`blocked`: in `call`; `runnable`: ready to run, without a CPU; `ended`: the thread that "
          "took the lock has ended, or the lock is a copy that a fork made",
          true},
    owner.state);
  v(Field{"lock", "that it holds, and the one before it waits for", true}, owner.lock);
  v(Field{"call", "that it is in itself"}, owner.call);
  v(StackFields{owner.stack, owner.culprit, owner.stack_complete});
}

template <typename Visitor>
void fields(Visitor& v, ContributorShare& share) {
  v(Field{"function", "the libc function"}, share.function);
  v(Field{"caller", "the frame that called it", true}, share.caller);
  v(Field{"count", "calls in this iteration"}, share.count);
  v(Field{"total_ms", "sum of their lengths"}, share.total);
  v(Field{"longest_ms", "the longest of them"}, share.longest);
}

template <typename Visitor>
void fields(Visitor& v, TimeSpent& spent) {
  v(Field{"on_cpu_ms", "running; with `runnable_ms` and `blocked_ms` it makes up the iteration"},
    spent.on_cpu);
  v(Field{"runnable_ms", "ready to run, waiting for a CPU"}, spent.runnable);
  v(Field{"in_calls_ms", "in intercepted calls, blocked or not"}, spent.in_calls);
  v(Field{"major_faults", "pages that had to be read from disk"}, spent.major_faults);
  v(Field{"in_kernel_ms", "the part of `on_cpu_ms` that the kernel took; rough"}, spent.in_kernel);
  v(Field{"blocked_ms", "waiting for anything but a CPU"}, spent.blocked);
  v(Field{"throttled_ms", "the part of `runnable_ms` in which a cgroup's CPU quota was used up"},
    spent.throttled);
  v(Field{"in_faults_ms", "the part of `blocked_ms` that went into page faults, by the samples"},
    spent.in_faults);
}

template <typename Visitor>
void fields(Visitor& v, SampledCallback& callback) {
  v(Field{"weight_ms", "the time that its samples stand for"}, callback.weight);
  v(Field{"samples", "that were taken in it"}, callback.samples);
  v(Field{"task", "the asyncio task that it ran; null if none or not known"},
    or_null(callback.task));
  v(Field{"entry", "the program's function by which it begins; null if not known"},
    or_null(callback.entry, callback.entry == Frame{}));
}

template <typename Visitor>
void fields(Visitor& v, SampledStack& sampled) {
  v(Field{"weight_ms", "the time that it stands for"}, sampled.weight);
  v(Field{"samples", "how often it was found"}, sampled.samples);
  v(Field{"call", "the function that the thread was in"}, or_null(sampled.call));
  v(Field{"callback", "its callback: index into `callbacks`; null if not known"}, sampled.callback);
  v(StackFields{sampled.stack, sampled.culprit, sampled.complete});
}

template <typename Visitor>
void fields(Visitor& v, ReportLimit& limit) {
  v(Field{"kind",
          "`stopped`: from outside, not counted; `suspended`: the machine, not counted; "
          "`observer-late`: what happened meanwhile was not seen; `allowed-to-block`: time in such "
          "a "
          "scope, not counted; `after-loop`: time after the loop was over, not counted; "
          "`end-not-recorded`: the length is a lower bound; `observing-ended`, `thread-ended`, "
          "`process-ended`: inside the iteration; `unhooked-wait`: the loop's wait is no call of "
          "libc's, and the iteration may be longer by `duration_ms`; `no-stack`: the caller of the "
          "longest call is shown; `owner-unknown`: of the lock of the kind `subject`; "
          "`part-unread`: a part of ThreadSanitizer's report; `interpreter-stack`: frames are "
          "missing or coarse; `other`",
          true},
    limit.kind);
  v(Field{"duration_ms", "the time that the kind speaks of"},
    or_null(limit.time, limit.time == Nanoseconds::zero()));
  v(Field{"subject", "of `owner-unknown` the kind of lock"}, or_null(limit.subject));
  v(Field{"reason", "in words, where there is one"}, or_null(limit.reason));
  v(Field{"text", "the same as a sentence"}, Sentence{limit_text(limit)});
}

template <typename Visitor>
void fields(Visitor& v, OrderedLock& lock) {
  v(Field{"address", "hexadecimal"}, Hex{lock.address});
  v(Field{"kind", "`mutex`, `rwlock`, `spin`, `semaphore`"}, lock.kind);
  v(Field{"name", "of the variable that covers it"}, or_null(lock.name));
  v(Field{"initialised", "the frame that initialised it"},
    or_null(lock.initialised,
            lock.initialised.function.empty() && lock.initialised.module.empty()));
}

template <typename Visitor>
void fields(Visitor& v, LockStep& step) {
  v(Field{"tid", "the thread"}, step.tid);
  v(Field{"thread", "its name if it still lived"}, or_null(step.thread));
  v(Field{"held", "index into `locks`"}, step.held);
  v(Field{"held_for", "`mutex`, `read`, `write`, `spin`"}, step.held_for);
  v(Field{"held_at", "where the held lock was taken"}, step.held_at);
  v(Field{"taken", "index into `locks`"}, step.taken);
  v(Field{"taken_for", "as `held_for`"}, step.taken_for);
  v(StackFields{step.stack, step.culprit, step.stack_complete});
}

template <typename Visitor>
void fields(Visitor& v, ContentionPlace& place) {
  v(Field{"frame", "where it was waited for", true}, place.frame);
  v(Field{"waits", "waits that have ended"}, place.waits);
  v(Field{"total_ms", "their time in all"}, place.total);
  v(Field{"longest_ms", "the longest of them"}, place.longest);
}

template <typename Visitor>
void fields(Visitor& v, ContentionStack& one) {
  v(StackFields{one.stack, one.culprit, one.complete});
  v(Field{"call", "that an owner was blocked in"}, or_null(one.call));
  v(Field{"samples", "how often it was found"}, one.samples);
  v(Field{"weight_ms", "of the waits that the samples stand for"}, one.weight);
}

template <typename Visitor>
void fields(Visitor& v, RaceStack& one) {
  bool complete = true;
  v(StackFields{one.stack, one.culprit, complete, kStackFrames});
}

template <typename Visitor>
void fields(Visitor& v, DeadlockedThread& thread) {
  v(Field{"pid", "its process"}, thread.pid);
  v(Field{"tid", "the thread"}, thread.tid);
  v(Field{"process", "name of the process"}, thread.process);
  v(Field{"thread", "name of the thread"}, thread.thread);
  v(Field{"in_cycle", "false: it waits for one of the others, and none waits for it"},
    thread.in_cycle);
  v(Field{"call", "that it waits in", true}, thread.call);
  v(Field{"wants", "the lock that it waits for", true}, thread.wants);
  v(Field{"holds", "the locks that the others want"}, thread.holds);
  v(Field{"waits_for", "indexes into `threads`: who would have to act; empty: nobody can"},
    thread.waits_for);
  v(StackFields{thread.stack, thread.culprit, thread.stack_complete});
}

template <typename Visitor>
void fields(Visitor& v, RaceThread& thread) {
  v(Field{"id", "ThreadSanitizer's; 0: the main thread"}, thread.id);
  v(Field{"tid", "the kernel's"}, or_null(thread.tid, thread.tid <= 0));
  v(Field{"name", "its name"}, or_null(thread.name));
  v(Field{"running", "when the report was made"}, thread.running);
  v(Field{"parent", "`id` of the thread that created it"}, thread.parent);
  v(Field{"created", "where"}, or_null(thread.created, thread.created.stack.empty()));
}

template <typename Visitor>
void fields(Visitor& v, RaceAccess& access) {
  v(Field{"thread", "an `id` of `threads`"}, access.thread);
  v(Field{"address", "hexadecimal"}, Hex{access.address});
  v(Field{"size", "bytes"}, access.size);
  v(Field{"write", "false: it reads"}, access.write);
  v(Field{"atomic", "it is atomic"}, access.atomic);
  v(Field{"at", "where"}, access.at);
}

template <typename Visitor>
void fields(Visitor& v, RaceLocation& location) {
  v(Field{"kind", "`global`, `heap`, `stack`, `tls`, `fd`"}, location.kind);
  v(Field{"name", "the variable"}, or_null(location.name));
  v(Field{"address", "hexadecimal"}, Hex{location.address});
  v(Field{"size", "bytes; 0: unknown"}, location.size);
  v(Field{"thread", "`id` of the thread whose stack it is, or which allocated or opened it"},
    location.thread);
  v(Field{"fd", "the descriptor"}, location.fd);
  v(Field{"allocated", "where"}, or_null(location.allocated, location.allocated.stack.empty()));
}

template <typename Visitor>
void fields(Visitor& v, RaceMutex& mutex) {
  v(Field{"id", "ThreadSanitizer's"}, mutex.id);
  v(Field{"address", "hexadecimal"}, Hex{mutex.address});
  v(Field{"name", "the variable"}, or_null(mutex.name));
  v(Field{"destroyed", "it no longer exists"}, mutex.destroyed);
  v(Field{"created", "its first use"}, or_null(mutex.created, mutex.created.stack.empty()));
}

template <typename Visitor>
void fields(Visitor& v, LoopStatistics& loop) {
  v(Field{"pid", "its process"}, loop.pid);
  v(Field{"tid", "its thread"}, loop.tid);
  v(Field{"process", "name of the process"}, loop.process);
  v(Field{"thread", "name of the thread"}, loop.thread);
  v(Field{"loop", "as in a stall", true}, loop.loop);
  v(Field{"iterations", "completed iterations"}, loop.iterations);
  v(Field{"busy_ms", "sum of the iterations' lengths"}, loop.busy);
  v(Field{"lifetime_ms", "from the loop's first wait to its last known moment"}, loop.lifetime);
  v(Field{"p50_ms", "percentile of the iterations' lengths, within 19 %"}, loop.p50);
  v(Field{"p90_ms", "likewise"}, loop.p90);
  v(Field{"p99_ms", "likewise"}, loop.p99);
  v(Field{"p999_ms", "likewise"}, loop.p999);
  v(Field{"longest_ms",
          "the longest iteration, exact; where the longest has been shortened by time that does "
          "not "
          "count, exact if it is over the threshold"},
    loop.longest);
}

}  // namespace tailback
