#include "runtime/analysis/analysis.h"

#include <exception>
#include <stdexcept>
#include <utility>

#include "runtime/analysis/blocking_call_analyzer.h"
#include "runtime/analysis/contention_analyzer.h"
#include "runtime/analysis/deadlock_analyzer.h"
#include "runtime/analysis/lock_order_analyzer.h"
#include "runtime/analysis/never_awaited_analyzer.h"
#include "runtime/analysis/program_end_analyzer.h"
#include "runtime/analysis/race_analyzer.h"
#include "runtime/analysis/stall_analyzer.h"

namespace tailback {

// One per kind of observation, and what they share.
struct Analysis::Analyzers {
  Analyzers(Reporter& to, CulpritRule rule, Verdicts& verdicts, Sources sources)
      : reporter(to),
        reader(std::move(rule), sources.stacks ? std::move(sources.stacks) : make_stack_source()),
        lock_names(reader),
        owners(reader, lock_names),
        blame(reader, lock_names, owners),
        callbacks(reader),
        loop_ends(reader, verdicts, to, callbacks,
                  sources.loop_ends ? std::move(sources.loop_ends) : std::make_unique<LoopEnds>()),
        idle_waits(reader, verdicts),
        stalls(reader, blame, loop_ends, idle_waits, callbacks, to),
        blocking_calls(reader, idle_waits, blame, to),
        program_ends(reader, blame, owners, to),
        deadlocks(reader, lock_names, to),
        lock_orders(reader, to),
        contention(reader, to),
        races(reader, to),
        never_awaited(reader, to) {}

  void analyze(const StallSeen& seen) { stalls.analyze(seen); }
  void analyze(const BlockingCallSeen& seen) { blocking_calls.analyze(seen); }
  void analyze(const LoopWaitSeen& seen) {
    loop_ends.analyze(seen);
    callbacks.analyze(seen);
  }
  void analyze(const IdleWaitSeen& seen) { idle_waits.analyze(seen); }
  void analyze(const ConditionWaitSeen& seen) { idle_waits.analyze(seen); }
  void analyze(const DeadlockSeen& seen) { deadlocks.analyze(seen); }
  void analyze(const AcquisitionSeen& seen) { lock_orders.analyze(seen); }
  void analyze(const ContentionSeen& seen) { contention.analyze(seen); }
  void analyze(const ProgramEndSeen& seen) { program_ends.analyze(seen); }
  void analyze(const NoteSeen& seen) { reporter.report(seen.note); }
  void analyze(const StatusSeen& seen) {
    SessionStatus status = seen.status;
    status.duration = status.time - begin;
    status.stalls = stalls.stalls();
    status.stalled = stalls.stalled();
    reporter.report(status);
  }
  void analyze(const FindingSeen& seen) {
    switch (seen.kind) {
      case contract::FindingKind::kThreadSanitizer:
        races.analyze(seen);
        return;
      case contract::FindingKind::kNeverAwaited:
        never_awaited.analyze(seen);
        return;
    }
    throw std::runtime_error("a finding of no known kind");
  }

  // Reports what is reported at the end.
  void finish(SessionEnd& end) {
    contention.finish();
    end.counts[RecordKind::kContention].reported = contention.locks();
    lock_orders.add_counts(end);
    end.counts[RecordKind::kStall].reported = stalls.stalls();
    end.stalled = stalls.stalled();
    end.counts[RecordKind::kDeadlock].reported = deadlocks.deadlocks();
    end.counts[RecordKind::kNeverAwaited] = never_awaited.counts();
    Counts& found = end.counts[RecordKind::kRace];
    found.reported = races.counts().reported;
    found.repeated = races.counts().repeated;
  }

  Reporter& reporter;
  WallTime begin;
  StackReader reader;
  LockNames lock_names;
  OwnerReader owners;
  Blame blame;
  Callbacks callbacks;
  LoopEndJudge loop_ends;
  IdleWaitJudge idle_waits;
  StallAnalyzer stalls;
  BlockingCallAnalyzer blocking_calls;
  ProgramEndAnalyzer program_ends;
  DeadlockAnalyzer deadlocks;
  LockOrderAnalyzer lock_orders;
  ContentionAnalyzer contention;
  RaceAnalyzer races;
  NeverAwaitedAnalyzer never_awaited;
};

Analysis::Analysis(Reporter& reporter, CulpritRule rule, Verdicts& verdicts, Sources sources)
    : reporter_(reporter),
      analyzers_(
          std::make_unique<Analyzers>(reporter, std::move(rule), verdicts, std::move(sources))) {}

Analysis::~Analysis() {
  if (!thread_.joinable()) return;
  post([this] { stopping_ = true; });
  thread_.join();
}

void Analysis::start(const SessionStart& start) {
  analyzers_->begin = start.time;
  thread_ = std::thread([this] { run(); });
  post([this, start] { reporter_.report(start); });
}

void Analysis::take(Observation observation) {
  // std::function needs what can be copied.
  post([this, taken = std::make_shared<const Observation>(std::move(observation))] {
    std::visit([this](const auto& seen) { analyzers_->analyze(seen); }, *taken);
  });
}

void Analysis::wait() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return work_.empty() && !is_working_; });
}

void Analysis::finish(SessionEnd end) {
  post([this, end = std::move(end)]() mutable {
    stopping_ = true;
    analyzers_->finish(end);
    end.losses.corrupt += failures_;
    reporter_.report(end);
  });
  thread_.join();
}

void Analysis::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  changed_.notify_one();
}

void Analysis::run() {
  while (!stopping_) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !work_.empty(); });
      work = std::move(work_.front());
      work_.pop_front();
      is_working_ = true;
    }
    // A corrupt target must not end the observer.
    try {
      work();
    } catch (const std::exception&) {
      ++failures_;
    }
    const std::lock_guard lock(mutex_);
    is_working_ = false;
    if (work_.empty()) done_.notify_all();
  }
}

}  // namespace tailback
