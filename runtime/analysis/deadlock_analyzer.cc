#include "runtime/analysis/deadlock_analyzer.h"

#include <algorithm>
#include <utility>

#include "runtime/explain/fingerprint.h"
#include "runtime/explain/lock_advice.h"

namespace tailback {

namespace {

// Each thread holds what those that wait for it want, where that is known.
void add_held_locks(const DeadlockSeen& observation, std::vector<DeadlockedThread>& threads) {
  for (size_t i = 0; i < threads.size(); ++i) {
    const DeadlockedThreadSample& waiter = observation.threads[i];
    if (!waiter.holders_known) continue;
    const Lock held = as_held(threads[i].wants, waiter.wants.owner != 0);
    for (const size_t holder : waiter.waits_for) {
      std::vector<Lock>& holds = threads[holder].holds;
      if (std::find(holds.begin(), holds.end(), held) == holds.end()) holds.push_back(held);
    }
  }
}

}  // namespace

DeadlockedThread DeadlockAnalyzer::thread_of(const DeadlockedThreadSample& sampled) {
  const Sample& sample = *sampled.sample;
  DeadlockedThread thread;
  name_thread(sampled, thread);
  thread.in_cycle = sampled.in_cycle;
  thread.waits_for = sampled.waits_for;
  if (sample.call) thread.call = sample.call->call;
  thread.wants = names_.lock_of(sampled.pid, sample, sampled.wants);
  if (!sample.snapshot) return thread;
  ReadStack read = reader_.read(sampled.pid, sample);
  if (sample.call) names_.name_object(sampled.pid, sample, thread.call);
  thread.culprit = read.culprit;
  thread.stack_complete = read.complete;
  thread.stack = std::move(read.frames);
  return thread;
}

void DeadlockAnalyzer::analyze(const DeadlockSeen& observation) {
  Deadlock deadlock;
  deadlock.id = observation.id;
  deadlock.kind = observation.kind;
  deadlock.time = observation.time;
  deadlock.held = observation.held;
  deadlock.more_blocked = observation.more_blocked;
  for (const DeadlockedThreadSample& sampled : observation.threads) {
    deadlock.threads.push_back(thread_of(sampled));
  }
  add_held_locks(observation, deadlock.threads);
  deadlock.advice = deadlock_advice(deadlock);
  deadlock.fingerprint = fingerprint(deadlock);
  ++deadlocks_;
  reporter_.report(deadlock);
}

}  // namespace tailback
