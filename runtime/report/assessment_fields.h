// The fields of an assessment.
#pragma once

#include <array>

#include "runtime/report/value_fields.h"

namespace tailback {

// The time of threads by what they were in.
struct BlockedTime {
  ThreadTime& time;
};
template <>
struct ValueName<BlockedTime> {
  static constexpr const char* kName = "blocked_time";
};

template <typename Visitor>
void fields(Visitor& v, BlockedTime& blocked) {
  static constexpr std::array<Field, kActivityWords.size()> kFields = {
      Field{"sleep", "an operation"},
      Field{"file", "an operation"},
      Field{"socket", "an operation"},
      Field{"dns", "an operation"},
      Field{"ipc", "an operation"},
      Field{"lock", "a lock"},
      Field{"gil", "an interpreter's own lock"},
      Field{"page_fault", "paging"},
      Field{"unknown", "blocked, not known in what"},
      Field{"events", "no work: an event loop's own wait"},
      Field{"wait", "no work: for another thread"},
      Field{"process", "no work: for a child"},
      Field{"idle", "no work: `accept()`, a signal, standard input"}};
  for (size_t i = 0; i < kFields.size(); ++i) v(kFields[i], blocked.time.blocked[i]);
}

template <typename Visitor>
void fields(Visitor& v, ThreadTime& time) {
  v(Field{"on_cpu_ms", "running"}, time.on_cpu);
  v(Field{"runnable_ms", "ready to run, without a CPU"}, time.runnable);
  v(Field{"blocked_ms", "by what they were in"}, BlockedTime{time});
}

template <typename Visitor>
void fields(Visitor& v, ProgramTime& time) {
  v(Field{"computing_ms", "some thread ran or was ready to"}, time.computing);
  v(Field{"waiting_ms", "some thread was in an operation"}, time.waiting);
  v(Field{"locked_ms", "some thread waited for a lock"}, time.locked);
  v(Field{"resting_ms", "no thread had anything to do"}, time.resting);
}

template <typename Visitor>
void fields(Visitor& v, InFlight& flight) {
  v(Field{"time_ms", "in which any was under way"}, flight.time);
  v(Field{"mean", "of that time"}, flight.mean);
  v(Field{"p50", "likewise"}, flight.p50);
  v(Field{"p90", "likewise"}, flight.p90);
  v(Field{"most", "likewise"}, flight.most);
  v(Field{"operations", "different ones that were seen"}, flight.operations);
}

template <typename Visitor>
void fields(Visitor& v, Spawning& spawning) {
  v(Field{"ended", "processes that have ended, without the first"}, spawning.ended);
  v(Field{"short_lived",
          "of these: 60 ms at most, from when the recorder was in them, without the time in which "
          "other programs had their CPU"},
    spawning.short_lived);
  v(Field{"median_life_ms", "of the short-lived"}, spawning.median_life);
  v(Field{"lives_ms", "time in which any short-lived one lived"}, spawning.lives);
  v(Field{"start_ms",
          "mean, from fork to when the recorder was in it; within about 1 ms; null: unknown"},
    or_null(spawning.start, !spawning.start_known, &spawning.start_known));
}

template <typename Visitor>
void fields(Visitor& v, LoopTrouble& trouble) {
  v(Field{"cause", "of the stalls", true}, trouble.cause);
  v(Field{"call", "the function that it was blocked in"}, or_null(trouble.call));
  v(Field{"function", "of the culprit"}, or_null(trouble.culprit.function));
  v(Field{"file", "likewise"}, or_null(trouble.culprit.file));
  v(Field{"line", "likewise"}, or_null(trouble.culprit.line, trouble.culprit.line <= 0));
  v(Field{"stalls", "with this culprit"}, trouble.stalls);
  v(Field{"total_ms", "of these"}, trouble.total);
  v(Field{"longest_ms", "of these"}, trouble.longest);
}

template <typename Visitor>
void fields(Visitor& v, Measurement& m) {
  v(Field{"duration_ms", "in which some process lived"}, m.duration);
  v(Field{"samples", "how often all threads were sampled meanwhile"}, m.samples);
  v(Field{"cpus", "that the program may run on"}, m.cpus);
  v(Field{"throttled_ms", "time without a CPU by a control group's quota"}, m.throttled);
  v(Field{"threads", "sums over all threads"}, m.threads);
  v(Field{"program", "each moment once, at the first that holds"}, m.program);
  v(Field{"in_flight", "operations under way at once, each in a thread"}, m.in_flight);
  v(Field{"descriptors", "most that event loops waited on at once (timers are not seen)"},
    m.descriptors);
  v(Field{"loops", "event loops"}, m.loops);
  v(Field{"blocked_loops_ms",
          "time in which threads of loops were blocked in anything but their own wait"},
    m.blocked_loops);
  v(Field{"loop_call", "in what function most of it"}, or_null(m.loop_call));
  v(Field{"threads_seen", "all"}, m.threads_seen);
  v(Field{"most_threads", "at once"}, m.most_threads);
  v(Field{"computing_threads", "with a twentieth of the time on CPU each"}, m.computing_threads);
  v(Field{"processes_seen", "all"}, m.processes_seen);
  v(Field{"computing_processes", "as `computing_threads`, and not short-lived"},
    m.computing_processes);
  v(Field{"resident_bytes", "most real memory of all processes"}, m.resident_bytes);
  v(Field{"stack_threads", "threads whose stacks were measured"}, m.stack_threads);
  v(Field{"stack_bytes", "real memory of one stack on average"}, m.stack_bytes);
  v(Field{"interpreter",
          "of the process that computed most, if it runs one thread at a time: `python`, `node`; "
          "`none`"},
    m.interpreter);
  v(Field{"spawning", "processes but the first"}, m.spawning);
  v(Field{"blocked_loop", "the culprit that blocked loops longest by a call"},
    or_null(m.blocked_loop, m.blocked_loop.stalls == 0));
  v(Field{"computing_loop", "the culprit that blocked loops longest by computing"},
    or_null(m.computing_loop, m.computing_loop.stalls == 0));
  v(Field{"lock", "that was waited for longest, with `--locks`"}, or_null(m.lock));
  v(Field{"incomplete", "threads, processes or programs were not watched"}, m.incomplete);
}

template <typename Visitor>
void fields(Visitor& v, Assessment& assessment) {
  Verdict& verdict = assessment.verdict;
  v(Field{"time", "when it was made"}, assessment.time);
  v(Field{"limit",
          "what slows the program down: `sequential-io`: one operation after the other; `gil`: "
          "computing under the interpreter's lock; `no-cpu`: ready to run, without a CPU; "
          "`spawning`: starting processes; `unknown`: too little was seen",
          true},
    verdict.limit);
  v(Field{"present", "how the program is concurrent now; `none`: it has one thread", true},
    verdict.present);
  v(Field{"model", "what fits; `none`: any", true}, verdict.model);
  v(Field{"change", "whether anything is to be done"}, verdict.change);
  v(Field{"confidence", "in the verdict", true}, verdict.confidence);
  v(Field{"doubts", "why it is not higher"}, verdict.doubts);
  v(Field{"finding", "one sentence with the figures that decided"}, verdict.finding);
  v(Field{"advice", "what to do"}, verdict.advice);
  v(Field{"measured", "the figures", false, true}, assessment.measured);
}

}  // namespace tailback
