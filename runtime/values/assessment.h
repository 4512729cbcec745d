// What was measured of a program as a whole, and what follows from it for how it should be
// concurrent. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/frame.h"
#include "runtime/values/stall.h"

namespace tailback {

// What a thread that has no use for a CPU is doing. The words are part of the JSON schema.
enum class Activity {
  kSleep,
  kFile,
  kSocket,
  kDns,
  kIpc,
  kLock,
  kGil,        // an interpreter's own lock
  kPageFault,  // paging
  kUnknown,    // blocked, not known in what
  kEvents,     // in an event loop's own wait
  kWait,       // for another thread: a worker without work, a join
  kProcess,    // for a child
  kIdle,       // for somebody to ask for something: accept(), a signal, standard input
};

inline constexpr std::array<std::string_view, 13> kActivityWords = {
    "sleep",      "file",    "socket", "dns",  "ipc",     "lock", "gil",
    "page-fault", "unknown", "events", "wait", "process", "idle"};
constexpr std::string_view word(Activity activity) {
  return kActivityWords[static_cast<size_t>(activity)];
}

// Whether it is an operation that the program waits for, and that others could go on beside. A
// sleep counts: in examples it stands for I/O, and as a wait it is one.
constexpr bool is_operation(Activity activity) {
  return activity <= Activity::kIpc;
}
// Whether the thread has nothing to do meanwhile.
constexpr bool is_rest(Activity activity) {
  return activity >= Activity::kEvents;
}

// Sums over all threads.
struct ThreadTime {
  Nanoseconds on_cpu{};
  Nanoseconds runnable{};  // ready, but without a CPU
  std::array<Nanoseconds, kActivityWords.size()> blocked{};

  Nanoseconds in(Activity activity) const { return blocked[static_cast<size_t>(activity)]; }
};

// The time of the program as a whole: each moment counts once, at the first that holds.
struct ProgramTime {
  Nanoseconds computing{};  // some thread ran or was ready to
  Nanoseconds waiting{};    // some thread was in an operation
  Nanoseconds locked{};     // some thread waited for a lock
  Nanoseconds resting{};    // nobody had anything to do

  Nanoseconds all() const { return computing + waiting + locked + resting; }
};

// How many operations were under way at once, of the time in which any was.
struct InFlight {
  Nanoseconds time{};  // in which any was
  double mean = 0;
  uint64_t p50 = 0;
  uint64_t p90 = 0;
  uint64_t most = 0;
  uint64_t operations = 0;  // different ones that were seen; short ones may have been missed
};

// A process that lives no longer was started for a short task.
inline constexpr Nanoseconds kShortLife = std::chrono::milliseconds(60);

// Processes that began while the program ran, without its first. A life is counted from when the
// recorder was in it, without the time in which other programs had its CPU.
struct Spawning {
  uint64_t ended = 0;         // and that have ended
  uint64_t short_lived = 0;   // of these
  Nanoseconds median_life{};  // of the short-lived
  Nanoseconds lives{};        // time in which any short-lived one lived
  bool start_known = false;
  Nanoseconds start{};  // mean, from fork to when the recorder was in it; within about 1 ms
};

// The worst of what held event loops up.
struct LoopTrouble {
  Cause cause = Cause::kUnknown;
  std::string call;  // the function that it was blocked in; empty: it computed, or unknown
  Frame culprit;
  uint64_t stalls = 0;  // with this culprit
  Nanoseconds total{};
  Nanoseconds longest{};
};

struct Measurement {
  Nanoseconds duration{};  // in which some process lived
  uint64_t samples = 0;
  unsigned cpus = 1;        // that the program may use
  Nanoseconds throttled{};  // by a control group's quota, all CPUs together
  ThreadTime threads;
  ProgramTime program;
  InFlight in_flight;        // by threads that wait
  uint64_t descriptors = 0;  // most that event loops waited on at once
  uint64_t loops = 0;        // event loops
  // Time in which threads of event loops were blocked in anything but their own wait, and the
  // function in which they were most of it.
  Nanoseconds blocked_loops{};
  std::string loop_call;
  uint64_t threads_seen = 0;
  uint64_t most_threads = 0;       // at once
  uint64_t computing_threads = 0;  // of which each had a twentieth of all time on CPU
  uint64_t processes_seen = 0;
  uint64_t computing_processes = 0;  // as computing_threads, and not short-lived
  uint64_t resident_bytes = 0;       // most, of all processes
  uint64_t stack_threads = 0;        // whose stacks were measured
  uint64_t stack_bytes = 0;          // resident, of one on average
  // Of the process that computed most: the interpreter that runs one thread at a time there
  // ("python", "node"), or "none".
  std::string interpreter = "none";
  Spawning spawning;
  // Of event loops that were held up: by a call, and by computing. Total 0: none was.
  LoopTrouble blocked_loop;
  LoopTrouble computing_loop;
  std::string lock;         // that was waited for longest; empty: not known
  bool incomplete = false;  // the session lost threads, processes or programs
};

// What slows the program down. The words are part of the JSON schema.
enum class Limit {
  kNothing,
  kIo,
  kSequentialIo,  // one operation after the other
  kCpu,
  kGil,
  kLock,
  kNoCpu,
  kSpawning,
  kBlockedLoop,
  kUnknown,  // too little was seen
};

inline constexpr std::array<std::string_view, 10> kLimitWords = {
    "nothing", "io",     "sequential-io", "cpu",          "gil",
    "lock",    "no-cpu", "spawning",      "blocked-loop", "unknown"};
constexpr std::string_view word(Limit limit) {
  return kLimitWords[static_cast<size_t>(limit)];
}

enum class Model { kNone, kThreads, kEventLoop, kProcesses };

inline constexpr std::array<std::string_view, 4> kModelWords = {"none", "threads", "event-loop",
                                                                "processes"};
constexpr std::string_view word(Model model) {
  return kModelWords[static_cast<size_t>(model)];
}

enum class Confidence { kLow, kMedium, kHigh };

inline constexpr std::array<std::string_view, 3> kConfidenceWords = {"low", "medium", "high"};
constexpr std::string_view word(Confidence confidence) {
  return kConfidenceWords[static_cast<size_t>(confidence)];
}

struct Verdict {
  Limit limit = Limit::kUnknown;
  Model present = Model::kNone;  // how the program is concurrent now; none: it is not
  Model model = Model::kNone;    // that fits; none: any, or not known
  bool change = false;           // whether anything is to be done
  Confidence confidence = Confidence::kLow;
  std::vector<std::string> doubts;  // why the confidence is not higher
  std::string finding;              // one sentence, with the figures that decided
  std::string advice;               // what to do
};

struct Assessment {
  WallTime time;
  Measurement measured;
  Verdict verdict;
};

}  // namespace tailback
