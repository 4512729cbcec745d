// A program with event loops whose iterations are long now and then, on purpose, and which writes
// down what was true: stalls --truth FILE [options]. See --help.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <thread>

#include "tests/benchmarks/accuracy/target/event_loop.h"
#include "tests/benchmarks/accuracy/target/stall_kinds.h"
#include "tests/benchmarks/accuracy/target/traffic.h"
#include "tests/benchmarks/accuracy/target/truth_log.h"

namespace tailback::accuracy {
namespace {

// The kind that runs four loops at once, one a thread.
constexpr std::string_view kLoopPerThread = "loop per thread";
constexpr std::string_view kKindsOfThreads[] = {"epoll level", "poll", "epoll edge", "select"};

struct Plan {
  uint64_t seed = 1;
  unsigned stalls = 20;
  unsigned threshold_ms = 100;
  std::string loop = "epoll level";
  std::vector<std::string> groups;
  std::string truth;
};

// Half of the threshold to twenty times, any ratio as likely as any other.
Milliseconds draw_length(std::mt19937_64& random, unsigned threshold_ms) {
  std::uniform_real_distribution<double> exponent(std::log(0.5), std::log(20.0));
  return Milliseconds(std::lround(threshold_ms * std::exp(exponent(random))));
}

// Healthy iterations with long ones among them.
class LoopRun {
 public:
  LoopRun(const Plan& plan, uint64_t seed, unsigned stalls, std::unique_ptr<EventLoop> loop,
          bool alone)
      : loop_(std::move(loop)),
        random_(seed),
        source_(seed + 1, plan.groups, alone),
        stalls_(stalls),
        threshold_ms_(plan.threshold_ms) {
    for (const int fd : traffic_.descriptors()) loop_->watch(fd);
  }

  // All waits come from one place: a loop's are as deep in the stack every time.
  void run() {
    be_healthy(kFirstIterations);
    while (step_ != Step::kEnd) {
      iteration();
      choose_step();
    }
    // Another wait ends the last iteration.
    note_iteration(loop_->wait().entered_ns);
  }
  uint64_t iterations() const { return iterations_; }
  const std::vector<TrueIteration>& long_iterations() const { return long_iterations_; }

 private:
  static constexpr int kFirstIterations = 40;
  static constexpr int kIterationsBetween = 8;

  enum class Step { kHealthy, kPrepare, kStall, kSettle, kEnd };

  // For at least so many iterations, and for a few milliseconds.
  void be_healthy(int iterations) {
    step_ = Step::kHealthy;
    healthy_iterations_ = iterations;
    healthy_until_ns_ = now_ns() + 5'000'000 + static_cast<int64_t>(random_() % 35'000'000);
  }

  void choose_step() {
    switch (step_) {
      case Step::kHealthy:
        if (--healthy_iterations_ > 0 || now_ns() < healthy_until_ns_) return;
        step_ = number_ < stalls_ ? Step::kPrepare : Step::kEnd;
        group_ = source_.next_group();
        return;
      case Step::kPrepare:
        step_ = Step::kStall;
        return;
      case Step::kStall:
        step_ = Step::kSettle;
        return;
      case Step::kSettle:
        be_healthy(kIterationsBetween);
        return;
      case Step::kEnd:
        return;
    }
  }

  void take_step() {
    if (step_ == Step::kPrepare) StallSource::prepare(group_);
    if (step_ == Step::kStall) stall();
    if (step_ == Step::kSettle) StallSource::settle(group_);
  }

  void iteration() {
    const Wait wait = loop_->wait();
    note_iteration(wait.entered_ns);
    current_ = {};
    current_.begin_ns = wait.returned_ns;
    begin_times_ = clock_.read();
    for (const int fd : loop_->ready()) {
      traffic_.serve(fd);
      loop_->served(fd);
    }
    traffic_.stir(random_);
    take_step();
    const ThreadTimes end_times = clock_.read();
    current_.spent = {end_times.on_cpu_ns - begin_times_.on_cpu_ns,
                      end_times.runnable_ns - begin_times_.runnable_ns};
  }

  void note_iteration(int64_t end_ns) {
    if (current_.begin_ns == 0) return;
    ++iterations_;
    current_.length_ns = end_ns - current_.begin_ns;
    const bool is_long = current_.length_ns > static_cast<int64_t>(threshold_ms_) * 500'000;
    if (current_.number > 0 || is_long) long_iterations_.push_back(std::move(current_));
  }

  void stall() {
    current_.number = ++number_;
    current_.group = group_;
    current_.parts = source_.block(group_, draw_length(random_, threshold_ms_));
  }

  std::unique_ptr<EventLoop> loop_;
  Traffic traffic_;
  ThreadClock clock_;
  std::mt19937_64 random_;
  StallSource source_;
  unsigned stalls_;
  unsigned threshold_ms_;
  Step step_ = Step::kHealthy;
  int healthy_iterations_ = 0;
  int64_t healthy_until_ns_ = 0;
  unsigned number_ = 0;  // of the stall that was last
  std::string_view group_;
  TrueIteration current_;
  ThreadTimes begin_times_;
  uint64_t iterations_ = 0;
  std::vector<TrueIteration> long_iterations_;
};

void run_loop(const Plan& plan, std::string_view kind, uint64_t seed, unsigned stalls, bool alone,
              TruthLog& log) {
  auto loop = make_epoll_loop(kind);
  if (!loop) loop = make_poll_loop(kind);
  LoopRun run(plan, seed, stalls, std::move(loop), alone);
  run.run();
  log.add_loop(plan.loop, gettid(), run.iterations(), run.long_iterations());
}

void run_threads(const Plan& plan, TruthLog& log) {
  constexpr unsigned kThreads = std::size(kKindsOfThreads);
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    const unsigned stalls = plan.stalls / kThreads + (i < plan.stalls % kThreads ? 1 : 0);
    threads.emplace_back([&plan, &log, i, stalls] {
      run_loop(plan, kKindsOfThreads[i], plan.seed + 1000 * i, stalls, false, log);
    });
  }
}

std::vector<std::string> all_loops() {
  std::vector<std::string> kinds;
  for (const auto kind : epoll_loop_kinds()) kinds.emplace_back(kind);
  for (const auto kind : poll_loop_kinds()) kinds.emplace_back(kind);
  kinds.emplace_back(kLoopPerThread);
  return kinds;
}

int run(const Plan& plan) {
  TruthLog log;
  log.add_lacking(prepare_stalls());
  if (plan.loop == kLoopPerThread) {
    run_threads(plan, log);
  } else {
    run_loop(plan, plan.loop, plan.seed, plan.stalls, true, log);
  }
  clean_up_after_stalls();
  if (log.write(plan.truth)) return 0;
  fprintf(stderr, "stalls: can't write %s\n", plan.truth.c_str());
  return 1;
}

}  // namespace
}  // namespace tailback::accuracy

int main(int argc, char** argv) {
  using namespace tailback::accuracy;
  Plan plan;
  CLI::App app(
      "Runs an event loop with long iterations among healthy ones, and tells the truth of them");
  bool list = false;
  app.add_flag("--list-loops", list, "Print the kinds of loops");
  app.add_option("--truth", plan.truth, "Where to write what was true, as JSON lines");
  app.add_option("--loop", plan.loop, "Kind of the loop")->check(CLI::IsMember(all_loops()));
  app.add_option("--stalls", plan.stalls, "How many long iterations");
  app.add_option("--threshold", plan.threshold_ms, "In ms; stalls have 0.5 to 20 times of it")
      ->check(CLI::Range(1u, 10'000u));
  app.add_option("--seed", plan.seed, "Of all that is random");
  app.add_option("--only", plan.groups, "Causes to choose from; repeatable");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const std::string& kind : all_loops()) puts(kind.c_str());
    return 0;
  }
  if (plan.truth.empty()) {
    fprintf(stderr, "stalls: --truth FILE is missing\n");
    return 1;
  }
  return run(plan);
}
