#include "runtime/advise/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tailback {
namespace {

// How to share out what a program computes, where there is more than one CPU.
std::string_view computing_advice(std::string_view interpreter) {
  if (interpreter == "node") {
    return "JavaScript computes in one thread at a time: share the work out among worker threads "
           "or processes, as many as there are CPUs (worker_threads, cluster).";
  }
  if (interpreter == "python") {
    return "Python computes in one thread at a time: share the work out among processes, as many "
           "as there are CPUs (ProcessPoolExecutor, multiprocessing).";
  }
  if (interpreter != "none") {
    return "The interpreter computes in one thread at a time: share the work out among processes, "
           "as many as there are CPUs.";
  }
  return "Share the work out among threads, as many as there are CPUs; native code computes on "
         "all of them.";
}

using std::chrono::milliseconds;
using std::chrono::seconds;

// Of less nothing can be said.
constexpr Nanoseconds kTooShort = milliseconds(50);
constexpr uint64_t kTooFewSamples = 5;
// Of less nothing can be said for sure.
constexpr Nanoseconds kShort = milliseconds(500);
constexpr uint64_t kFewSamples = 20;
constexpr Nanoseconds kBrief = seconds(2);

constexpr double kLoopShare = 0.05;     // of the time: a loop that is held up for longer is ill
constexpr double kLockShare = 0.2;      // of the threads' time in which they had work
constexpr double kRunnableShare = 0.3;  // of the time in which threads could have run
constexpr double kDoubtfulRunnable = 0.2;
constexpr double kMainShare = 0.3;  // of the time: what takes less is not what the program does
constexpr double kSpawnShare = 0.3;
constexpr uint64_t kManySpawned = 10;
constexpr double kOneAtATime = 1.5;  // in flight, or threads that could run
constexpr uint64_t kSeveral = 3;     // operations that could overlap
constexpr uint64_t kManyInFlight = 100;
constexpr double kAllCpus = 0.7;
constexpr double kOwnCrowd = 1.3;  // threads that could run, of each CPU: more than it can bear
constexpr double kUnknownShare = 0.2;
constexpr double kThrottledShare = 0.1;
// A deciding share this near to its threshold, or to what would decide otherwise, is doubtful.
constexpr double kNear = 1.3;

double ratio(Nanoseconds part, Nanoseconds whole) {
  if (whole <= Nanoseconds::zero()) return 0;
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

std::string percent(double share) {
  return fmt::format("{:.0f} %", std::clamp(share, 0.0, 1.0) * 100);
}

std::string milliseconds_text(Nanoseconds time) {
  const double ms = ratio(time, milliseconds(1));
  return ms < 10 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}

class Judge {
 public:
  explicit Judge(const Measurement& measured)
      : m_(measured), all_(std::max(measured.program.all(), Nanoseconds(1))) {
    active_ = m_.threads.on_cpu + m_.threads.runnable;
    for (size_t i = 0; i < kActivityWords.size(); ++i) {
      if (!is_rest(static_cast<Activity>(i))) active_ += m_.threads.blocked[i];
    }
    wanting_ = m_.threads.on_cpu + m_.threads.runnable;
    demand_ = ratio(wanting_, m_.program.computing);
    // What other programs took of the CPUs is not this one's time.
    Nanoseconds computing = m_.program.computing;
    if (wanting_ > Nanoseconds::zero() && demand_ < m_.cpus * kOwnCrowd) {
      computing = Nanoseconds(static_cast<int64_t>(static_cast<double>(computing.count()) *
                                                   ratio(m_.threads.on_cpu, wanting_)));
    }
    all_ = std::max(all_ - m_.program.computing + computing, Nanoseconds(1));
    computing_ = ratio(computing, all_);
    waiting_ = ratio(m_.program.waiting, all_);
    // Beside a healthy loop a thread that sleeps keeps house.
    only_housekeeping_ = m_.loops > 0 && operations_but_sleep() == Nanoseconds::zero();
    verdict_.present = present();
  }

  Verdict verdict() {
    if (m_.duration < kTooShort || m_.samples < kTooFewSamples) {
      verdict_.finding = fmt::format("The program ran for {}: too short to be judged.",
                                     milliseconds_text(m_.duration));
      verdict_.advice = "Let it do more work, or measure for longer.";
      weigh();
      return verdict_;
    }
    if (m_.threads_seen == 0) {
      verdict_.finding = "No thread of the program could be watched.";
      verdict_.advice = "See 'tailback run' on the same command: it says why.";
      weigh();
      verdict_.confidence = Confidence::kLow;
      return verdict_;
    }
    if (!spawning() && !blocked_loop() && !locks() && !no_cpu() && !computing() && !waiting()) {
      nothing();
    }
    weigh();
    return verdict_;
  }

 private:
  Nanoseconds operations_but_sleep() const {
    Nanoseconds sum{};
    for (size_t i = 0; i < kActivityWords.size(); ++i) {
      const auto activity = static_cast<Activity>(i);
      if (is_operation(activity) && activity != Activity::kSleep) sum += m_.threads.blocked[i];
    }
    return sum;
  }

  Model present() const {
    const bool computes_in_processes = m_.computing_processes > 1 && m_.processes_seen > 1;
    // What hands work out to processes may wait for their answers in a loop.
    if (computes_in_processes && computing_ > waiting_) return Model::kProcesses;
    if (m_.loops > 0) return Model::kEventLoop;
    if (computes_in_processes) return Model::kProcesses;
    const Nanoseconds locked = m_.threads.in(Activity::kLock) + m_.threads.in(Activity::kGil);
    const bool several = m_.computing_threads > 1 || m_.in_flight.mean >= kOneAtATime ||
                         ratio(locked, active_) >= kLockShare;
    return several ? Model::kThreads : Model::kNone;
  }

  // `share` decided, and had to reach `threshold`.
  bool decide(Limit limit, Model model, bool change, double share, double threshold,
              std::string finding, std::string advice) {
    verdict_.limit = limit;
    verdict_.model = model;
    verdict_.change = change;
    verdict_.finding = std::move(finding);
    verdict_.advice = std::move(advice);
    if (share < threshold * kNear) {
      doubt(fmt::format("{} is near to the {} that decides", percent(share), percent(threshold)));
    }
    return true;
  }

  void doubt(std::string why) { verdict_.doubts.push_back(std::move(why)); }

  bool spawning() {
    const Spawning& s = m_.spawning;
    if (s.short_lived < kManySpawned) return false;
    const Nanoseconds start = s.start_known ? s.start : Nanoseconds::zero();
    const Nanoseconds starts = start * static_cast<int64_t>(s.short_lived);
    const double share = ratio(s.lives + starts, all_);
    if (share < kSpawnShare) return false;
    std::string finding = fmt::format(
        "{} short-lived processes were started, of which half lived for no more than {}",
        s.short_lived, milliseconds_text(s.median_life));
    if (s.start_known) {
      finding +=
          start < milliseconds(1)
              ? "; each took less than 1 ms to start"
              : fmt::format("; each took {} to start, {} of its whole time",
                            milliseconds_text(start), percent(ratio(start, start + s.median_life)));
      if (ratio(start, start + s.median_life) < 0.1) {
        doubt("starting a process took little of its time, as far as is seen from outside");
      }
    } else {
      doubt("what starting them cost could not be measured");
    }
    return decide(Limit::kSpawning, Model::kThreads, true, share, kSpawnShare, finding + ".",
                  "Give short tasks to a pool of threads or of processes that are started once "
                  "(ThreadPoolExecutor, ProcessPoolExecutor, a worker pool), not each to a process "
                  "of its own.");
  }

  bool blocked_loop() {
    const LoopTrouble& worst = m_.blocked_loop;
    const double share = ratio(worst.total, all_);
    if (worst.stalls == 0 || share < kLoopShare) return short_calls_of_loop();
    if (worst.total < m_.computing_loop.total) return false;
    const std::string what = worst.call.empty() ? "a blocking call" : worst.call + "()";
    return decide(Limit::kBlockedLoop, Model::kEventLoop, true, share, kLoopShare,
                  fmt::format("{}{} held the event loop up {} {}, for {} of the time.", what,
                              place(worst.culprit), worst.stalls,
                              worst.stalls == 1 ? "time" : "times", percent(share)),
                  off_the_loop(what, worst.cause));
  }

  // Each too short to be a stall.
  bool short_calls_of_loop() {
    const double share = ratio(m_.blocked_loops, all_);
    if (share < kLoopShare * 2) return false;
    const std::string what = m_.loop_call.empty() ? "blocking calls" : m_.loop_call + "()";
    return decide(Limit::kBlockedLoop, Model::kEventLoop, true, share, kLoopShare * 2,
                  fmt::format("An event loop's thread was blocked in calls for {} of the time, "
                              "most of all in {}; each call was short.",
                              percent(share), what),
                  off_the_loop(what, Cause::kUnknown));
  }

  static std::string off_the_loop(const std::string& what, Cause cause) {
    const std::string_view instead =
        cause == Cause::kSleep || what.ends_with("sleep()") ? "make it a timer of the loop"
        : cause == Cause::kLock ? "hold that lock for a shorter time, or share less"
                                : "use its asynchronous form, or move it to a worker thread";
    return fmt::format("Keep the event loop and move {} off it: {}.", what, instead);
  }

  static std::string place(const Frame& frame) {
    if (frame.function.empty()) return {};
    std::string text = " in " + frame.function;
    if (!frame.file.empty()) text += fmt::format(" ({}:{})", file_name(frame.file), frame.line);
    return text;
  }

  bool locks() {
    const double lock = ratio(m_.threads.in(Activity::kLock), active_);
    const double gil = ratio(m_.threads.in(Activity::kGil), active_);
    if (gil >= kLockShare && gil >= lock) {
      return decide(
          Limit::kGil, Model::kProcesses, true, gil, kLockShare,
          fmt::format("{} of the threads' time with work was spent waiting for the interpreter's "
                      "lock: they compute one at a time, on {:.1f} of {} CPUs.",
                      percent(gil), ratio(m_.threads.on_cpu, m_.program.computing), m_.cpus),
          m_.cpus > 1 ? "Compute in processes (ProcessPoolExecutor, multiprocessing), or in native "
                        "code that gives the lock up; more threads won't help."
                      : "There is one CPU: threads, processes and a loop all take as long. Compute "
                        "in processes once there are more.");
    }
    if (lock < kLockShare) return false;
    const std::string named = m_.lock.empty() ? "" : fmt::format(", most of all {}", m_.lock);
    return decide(Limit::kLock, verdict_.present, true, lock, kLockShare,
                  fmt::format("{} of the threads' time with work was spent waiting for locks{}.",
                              percent(lock), named),
                  fmt::format("Hold the lock for a shorter time (no I/O under it), or share less; "
                              "more threads won't help.{}",
                              m_.lock.empty() ? " 'tailback run --locks' names the lock and its "
                                                "holders."
                                              : ""));
  }

  bool no_cpu() {
    if (ratio(m_.throttled, all_) >= kThrottledShare && computing_ >= kMainShare) {
      return decide(Limit::kNoCpu, verdict_.present, true, ratio(m_.throttled, all_),
                    kThrottledShare,
                    fmt::format("The control group's CPU quota was used up for {} of the time.",
                                percent(ratio(m_.throttled, all_))),
                    "Raise the quota, or compute less; no model makes up for it.");
    }
    const double share = ratio(m_.threads.runnable, wanting_);
    if (share < kRunnableShare || computing_ < kMainShare) return false;
    if (demand_ < m_.cpus * kOwnCrowd) return false;  // others have the CPUs: weigh() says so
    return decide(
        Limit::kNoCpu, verdict_.present, true, share, kRunnableShare,
        fmt::format("{:.1f} threads were ready to run on {} {}: {} of that time they waited for "
                    "one.",
                    demand_, m_.cpus, m_.cpus == 1 ? "CPU" : "CPUs", percent(share)),
        "Run as many workers as there are CPUs, or give the program more CPUs; more threads or "
        "processes won't help.");
  }

  bool computing() {
    if (computing_ < kMainShare || computing_ < waiting_) return false;
    if (waiting_ > 0 && computing_ < waiting_ * kNear) {
      doubt(fmt::format("it waits for I/O almost as long ({}) as it computes", percent(waiting_)));
    }
    const std::string finding =
        fmt::format("{} of the time it computes, with {:.1f} threads that could run, on {} {}.",
                    percent(computing_), demand_, m_.cpus, m_.cpus == 1 ? "CPU" : "CPUs");
    if (m_.cpus == 1) {
      return decide(Limit::kCpu, verdict_.present, false, computing_, kMainShare, finding,
                    "There is one CPU, and it is used: only faster code or another CPU helps, no "
                    "other model.");
    }
    if (demand_ >= m_.cpus * kAllCpus && demand_ >= kOneAtATime) {
      return decide(Limit::kCpu, verdict_.present, false, computing_, kMainShare, finding,
                    "All CPUs are used: keep it as it is. Only faster code or more CPUs help.");
    }
    const bool interpreted = m_.interpreter != "none";
    const Model model = interpreted ? Model::kProcesses : Model::kThreads;
    std::string advice(computing_advice(m_.interpreter));
    const LoopTrouble& loop = m_.computing_loop;
    if (loop.stalls > 0) {
      advice += fmt::format(" Keep the event loop for I/O, and move what it computes{} off it.",
                            place(loop.culprit));
    } else if (m_.loops > 0) {
      advice +=
          " Where an event loop computes in many short iterations, run one loop for each CPU.";
    }
    return decide(Limit::kCpu, model, true, computing_, kMainShare, finding, advice);
  }

  bool waiting() {
    if (waiting_ < kMainShare || only_housekeeping_) return false;
    if (computing_ > 0 && waiting_ < computing_ * kNear) {
      doubt(
          fmt::format("it computes almost as long ({}) as it waits for I/O", percent(computing_)));
    }
    const InFlight& f = m_.in_flight;
    if (f.mean < kOneAtATime) return one_at_a_time();
    const std::string finding = fmt::format(
        "{} of the time it waits for I/O, with {:.0f} operations under way at once (nine tenths of "
        "the time no more than {}).",
        percent(waiting_), f.mean, f.p90);
    if (f.p90 >= kManyInFlight) {
      if (f.p90 < 2 * kManyInFlight) doubt("threads do for some tens of operations");
      const bool has_loop = verdict_.present == Model::kEventLoop;
      return decide(Limit::kIo, Model::kEventLoop, true, waiting_, kMainShare, finding,
                    has_loop ? "Let the event loop wait for these operations too: each takes a "
                               "thread of its own now."
                             : "So many waits are an event loop's work (asyncio, libuv, epoll): a "
                               "thread for each costs memory and switches.");
    }
    if (2 * f.p90 >= kManyInFlight) doubt("for some more operations an event loop would do better");
    const bool processes = verdict_.present == Model::kProcesses;
    return decide(Limit::kIo, Model::kThreads, processes, waiting_, kMainShare, finding,
                  processes ? "Threads wait as well as processes do, for less memory."
                            : "So few waits are well kept in a pool of threads, with the blocking "
                              "libraries that it has: keep it as it is.");
  }

  bool one_at_a_time() {
    const InFlight& f = m_.in_flight;
    if (f.operations < kSeveral) {
      return decide(Limit::kIo, verdict_.present, false, waiting_, kMainShare,
                    fmt::format("{} of the time it waits for I/O, in {} {}.", percent(waiting_),
                                f.operations, f.operations == 1 ? "operation" : "operations"),
                    "There is nothing that could go on beside it: no model helps.");
    }
    const bool sleeps = operations_but_sleep() < m_.threads.in(Activity::kSleep);
    const bool has_loop = m_.loops > 0;
    return decide(
        Limit::kSequentialIo, has_loop ? Model::kEventLoop : Model::kThreads, true, waiting_,
        kMainShare,
        fmt::format("{} of the time it waits for I/O{}, one operation after the other ({} were "
                    "seen).",
                    percent(waiting_), sleeps ? " or sleeps" : "", f.operations),
        fmt::format("Where one wait doesn't need the result of the one before, let them overlap: "
                    "{}.",
                    has_loop ? "in the event loop"
                             : "a pool of threads with the libraries that it has, or an event loop "
                               "if they are to be hundreds"));
  }

  void nothing() {
    const double share = 1 - std::min(1.0, computing_ + waiting_);
    const bool many = m_.descriptors >= kManyInFlight;
    std::string finding = fmt::format(
        "Nothing holds it up: it computes for {} of the time, waits for operations for "
        "{} and has nothing to do for {}.",
        percent(computing_), percent(only_housekeeping_ ? 0 : waiting_),
        percent(only_housekeeping_ ? 1 - computing_ : share));
    std::string advice = "Keep it as it is.";
    if (m_.loops > 0) {
      advice = "Keep the event loop: nothing blocks it.";
      if (many) {
        finding = fmt::format(
            "It waits for I/O in an event loop, with {} descriptors at once; "
            "nothing blocks the loop.",
            m_.descriptors);
        advice = "Keep the event loop: so many waits would cost a thread each.";
      }
    }
    decide(many ? Limit::kIo : Limit::kNothing, verdict_.present, false, 1, kMainShare, finding,
           advice);
  }

  void weigh() {
    const size_t near_doubts = verdict_.doubts.size();
    bool is_short = false;
    if (m_.duration < kShort || m_.samples < kFewSamples) {
      is_short = true;
      doubt(fmt::format("it was seen for {} only, {} times", milliseconds_text(m_.duration),
                        m_.samples));
    }
    bool is_dim = false;
    if (!is_short && m_.duration < kBrief && verdict_.limit == Limit::kNothing) {
      is_dim = true;
      doubt("it was seen for a short time only");
    }
    if (ratio(m_.threads.in(Activity::kUnknown), active_) > kUnknownShare) {
      is_dim = true;
      doubt(fmt::format("in what threads were blocked is not known for {} of their time",
                        percent(ratio(m_.threads.in(Activity::kUnknown), active_))));
    }
    if (verdict_.limit != Limit::kNoCpu &&
        ratio(m_.program.computing, m_.program.all()) >= kMainShare / 2 &&
        ratio(m_.threads.runnable, wanting_) > kDoubtfulRunnable) {
      is_dim = true;
      doubt(
          fmt::format("the machine was busy: {} of the time in which threads could run they had "
                      "no CPU",
                      percent(ratio(m_.threads.runnable, wanting_))));
    }
    if (m_.incomplete) {
      is_dim = true;
      doubt("not all threads, processes and programs could be watched");
    }
    verdict_.confidence = is_short                    ? Confidence::kLow
                          : near_doubts > 0 || is_dim ? Confidence::kMedium
                                                      : Confidence::kHigh;
  }

  const Measurement& m_;
  Nanoseconds all_;
  double computing_ = 0;  // shares of the program's time
  double waiting_ = 0;
  Nanoseconds active_{};   // time of threads that had work
  Nanoseconds wanting_{};  // and that could run
  double demand_ = 0;      // threads that could run, while any could
  bool only_housekeeping_ = false;
  Verdict verdict_;
};

}  // namespace

Verdict judge(const Measurement& measured) {
  return Judge(measured).verdict();
}

}  // namespace tailback
