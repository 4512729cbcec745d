#include "runtime/analysis/analyst.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "runtime/explain/advice.h"
#include "runtime/explain/cause.h"
#include "runtime/explain/culprit.h"
#include "runtime/explain/fingerprint.h"
#include "runtime/explain/idle_stack.h"
#include "runtime/explain/missing_names.h"
#include "runtime/explain/runtime_of.h"
#include "runtime/loops/idle_waits.h"

namespace tailback {

namespace {

const char* name_of(intercept::Function function) {
  return intercept::kFunctions[static_cast<uint32_t>(function)].name;
}

// Calls that samples have seen and no sum has: the one still in progress, one that was left by a
// longjmp, an exception or a cancelled thread, and one whose return nobody sees.
void add_unsummed_calls(const StallSeen& observation, Evidence& evidence) {
  const bool may_be_in_others = observation.contributors.size() == contract::kContributors;
  const Sample* last = nullptr;
  for (const WeighedSample& observed : observation.samples) {
    const Sample& sample = *observed.sample;
    if (sample.source != Sample::Source::kRecord || !sample.call) continue;
    const bool open_ended = is_open_ended(sample.recorded.function);
    if (may_be_in_others && !open_ended) continue;
    const bool in_progress =
        observation.state != StallState::kEnded && &observed == &observation.samples.back();
    const bool is_summed =
        std::any_of(observation.contributors.begin(), observation.contributors.end(),
                    [&](const ObservedContributor& entry) {
                      return entry.function == sample.recorded.function &&
                             entry.call_site == sample.recorded.call_site;
                    });
    if (is_summed && !in_progress) continue;
    if (last && last->recorded.same_call(sample.recorded)) {
      evidence.calls.back().total += observed.weight;
      evidence.calls.back().longest += observed.weight;
    } else {
      evidence.calls.push_back(
          {sample.recorded.function, sample.call->cause, 1, observed.weight, observed.weight});
    }
    last = &sample;
  }
}

// The evidence on which the cause is decided. Where a sample has seen the object of a call, the
// sums of that call get its cause in place of the family's.
Evidence evidence_of(const StallSeen& observation) {
  Evidence evidence;
  evidence.duration = observation.duration;
  evidence.threshold = observation.threshold;
  evidence.other_calls = observation.other_calls;
  evidence.spent = observation.spent;
  evidence.runnable_at_most = observation.runnable_at_most;
  for (const ObservedContributor& entry : observation.contributors) {
    CallTime time{entry.function, cause_of_function(entry.function), entry.count, entry.total,
                  entry.longest};
    bool is_sliced = false;
    for (const WeighedSample& observed : observation.samples) {
      const Sample& sample = *observed.sample;
      if (sample.source == Sample::Source::kRecord && sample.call &&
          sample.recorded.function == entry.function &&
          sample.recorded.call_site == entry.call_site) {
        // A sample that was held says less of the call than one that was blocked.
        is_sliced = is_sliced || sample.call->cause == Cause::kGil;
        time.cause = is_sliced ? Cause::kGil : sample.call->cause;
      }
    }
    // It is waited for in slices, each a call: together they are one wait.
    if (is_sliced) {
      time.count = 1;
      time.longest = time.total;
    }
    evidence.calls.push_back(time);
  }
  for (const WeighedSample& observed : observation.samples) {
    const Sample& sample = *observed.sample;
    SampledState state;
    state.blocked = sample.call.has_value();
    state.recorded = sample.source == Sample::Source::kRecord;
    state.cause = sample.call ? sample.call->cause : Cause::kUnknown;
    state.weight = observed.weight;
    evidence.samples.push_back(state);
  }
  add_unsummed_calls(observation, evidence);
  return evidence;
}

bool is_blocked_cause(Cause cause) {
  return cause != Cause::kCpu && cause != Cause::kRunQueueWait && cause != Cause::kUnknown &&
         cause != Cause::kThrottled && cause != Cause::kPageFault;
}

// Whether the call that a sample stands in belongs into the report of a stall of this cause.
bool explains(Cause cause, const Sample& sample) {
  if (cause == Cause::kCpu) return sample.held;
  return is_blocked_cause(cause) || (cause == Cause::kUnknown && sample.call->cause == cause);
}

// Each note once.
void add_note(Stall& stall, const std::string& note) {
  if (std::find(stall.notes.begin(), stall.notes.end(), note) == stall.notes.end())
    stall.notes.push_back(note);
}

// Which iteration of which loop.
Stall identity_of(const StallSeen& observation) {
  Stall stall;
  stall.id = observation.id;
  stall.state = observation.state;
  stall.begin = observation.begin;
  name_thread(observation, stall);
  stall.loop = observation.loop;
  stall.duration = observation.duration;
  stall.threshold = observation.threshold;
  return stall;
}

}  // namespace

Analyst::Analyst(Reporter& reporter, CulpritRule rule, Verdicts& verdicts)
    : reporter_(reporter), verdicts_(verdicts), reader_(std::move(rule)) {}

Analyst::~Analyst() {
  if (!thread_.joinable()) return;
  post([this] { stopping_ = true; });
  thread_.join();
}

void Analyst::start(const SessionStart& start) {
  begin_ = start.time;
  thread_ = std::thread([this] { run(); });
  post([this, start] { reporter_.session(start); });
}

void Analyst::take(Observation observation) {
  post([this, taken = std::make_shared<Observation>(std::move(observation))] {
    std::visit([this](const auto& one) { analyse(one); }, *taken);
  });
}

void Analyst::finish(SessionEnd end) {
  post([this, end = std::move(end)]() mutable {
    end.stalls = stalls_;
    end.stalled = stalled_;
    end.deadlocks = deadlocks_;
    end.never_awaited = never_awaited_counts_;
    end.races.told = race_counts_.told;
    end.races.repeated = race_counts_.repeated;
    end.losses.corrupt += failures_;
    reporter_.end(end);
    stopping_ = true;
  });
  thread_.join();
}

void Analyst::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  changed_.notify_one();
}

void Analyst::run() {
  while (!stopping_) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !work_.empty(); });
      work = std::move(work_.front());
      work_.pop_front();
    }
    // Nothing that a target does may end the observer.
    try {
      work();
    } catch (const std::exception&) {
      ++failures_;
    }
  }
}

void Analyst::analyse(const IdleWaitSeen& observation) {
  if (is_idle_stack(reader_.read_native(observation.pid, *observation.sample),
                    observation.shares_loop)) {
    verdicts_.post(observation.place);
  }
}

void Analyst::analyse(const LockOrderSeen& observation) {
  reporter_.lock_order(observation.order);
}

void Analyst::analyse(const ContentionSeen& observation) {
  reporter_.contention(observation.lock);
}

void Analyst::analyse(const NoteSeen& observation) {
  reporter_.note(observation.note);
}

void Analyst::analyse(const StatusSeen& observation) {
  SessionStatus status = observation.status;
  status.duration = status.time - begin_;
  status.stalls = stalls_;
  status.stalled = stalled_;
  reporter_.status(status);
}

Analyst::ReadSample Analyst::read_sample(int pid, const Sample& observed) {
  ReadStack read = reader_.read(pid, observed);
  // Why can be said once of a process.
  if (read.unreadable && !unreadable_reported_.insert({pid, read.note}).second) read.note.clear();
  return {nullptr, std::move(read.frames), read.culprit, read.complete, std::move(read.note)};
}

std::vector<Analyst::ReadSample> Analyst::read_samples(const StallSeen& observation) {
  std::vector<ReadSample> samples;
  for (const WeighedSample& observed : observation.samples) {
    if (!observed.sample->snapshot) continue;
    ReadSample sample = read_sample(observation.pid, *observed.sample);
    sample.observed = &observed;
    samples.push_back(std::move(sample));
  }
  return samples;
}

const Analyst::ReadSample* Analyst::choose(const std::vector<ReadSample>& samples,
                                           Cause cause) const {
  const auto fits = [&](const ReadSample& sample) {
    const auto& call = sample.observed->sample->call;
    if (cause == Cause::kMany) return call.has_value();
    if (cause == Cause::kCpu) return sample.observed->sample->held;
    if (cause == Cause::kPageFault) return sample.observed->sample->in_fault;
    if (cause == Cause::kUnknown || is_blocked_cause(cause)) return call && call->cause == cause;
    return !call.has_value();
  };
  const bool any_fits = std::any_of(samples.begin(), samples.end(), fits);
  // The same culprit may have been seen several times, at different instructions.
  std::map<std::pair<std::string, std::string>, Nanoseconds> weights;
  const auto key = [](const ReadSample& sample) {
    const auto& call = sample.observed->sample->call;
    const bool has_culprit = sample.culprit < sample.stack.size();
    return std::make_pair(call ? call->call.function : std::string(),
                          has_culprit ? sample.stack[sample.culprit].function : std::string());
  };
  for (const ReadSample& sample : samples) {
    if (any_fits && !fits(sample)) continue;
    weights[key(sample)] += sample.observed->weight;
  }
  // Of one that has waited: who it waited for, and where for longest. Of one that has computed: all
  // that is known.
  const auto rank = [&](const ReadSample& sample) {
    const int64_t detail = is_blocked_cause(cause) ? sample.observed->weight.count()
                                                   : static_cast<int64_t>(sample.stack.size());
    return std::make_tuple(weights[key(sample)], !sample.observed->sample->owners.empty(), detail);
  };
  const ReadSample* chosen = nullptr;
  for (const ReadSample& sample : samples) {
    if (any_fits && !fits(sample)) continue;
    if (!chosen || rank(sample) > rank(*chosen)) chosen = &sample;
  }
  return chosen;
}

std::vector<SampledStack> Analyst::distinct_stacks(const std::vector<ReadSample>& samples) {
  std::vector<SampledStack> distinct;
  for (const ReadSample& sample : samples) {
    const auto& call = sample.observed->sample->call;
    const std::string function = call ? call->call.function : std::string();
    auto same = std::find_if(distinct.begin(), distinct.end(), [&](const SampledStack& known) {
      return known.call == function && known.stack == sample.stack;
    });
    if (same == distinct.end()) {
      distinct.push_back({sample.stack, sample.culprit, sample.complete, function, 0, {}});
      same = std::prev(distinct.end());
    }
    ++same->samples;
    same->weight += sample.observed->weight;
  }
  std::stable_sort(
      distinct.begin(), distinct.end(),
      [](const SampledStack& a, const SampledStack& b) { return a.weight > b.weight; });
  return distinct;
}

void Analyst::blame(const StallSeen& observation, const std::vector<ReadSample>& samples,
                    Stall& stall) {
  if (const ReadSample* chosen = choose(samples, stall.cause)) {
    const Sample& sample = *chosen->observed->sample;
    stall.stack = chosen->stack;
    stall.culprit = chosen->culprit;
    stall.stack_complete = chosen->complete;
    if (sample.python) stall.task = sample.python->task;
    if (sample.call && explains(stall.cause, sample)) {
      stall.call = sample.call->call;
      name_lock(observation.pid, sample, *stall.call);
      add_owners(observation.pid, sample, stall);
      if (stall.cause == Cause::kProcess && !sample.call->child.empty()) {
        stall.call->object = sample.call->child;
      }
    }
    return;
  }
  stall.stack_complete = false;
  if (!is_blocked_cause(stall.cause) || stall.contributors.empty()) return;
  const ContributorShare& longest = stall.contributors.front();
  stall.stack = {longest.caller};
  stall.culprit = find_culprit(stall.stack, reader_.rule());
  stall.call = BlockedCall{};
  stall.call->function = longest.function;
  stall.notes.push_back("no stack was read in time: the caller of the longest call is shown");
}

void Analyst::analyse(const BlockingCallSeen& observation) {
  const StallSeen& call = observation.call;
  const std::vector<ReadSample> samples = read_samples(call);
  if (samples.empty() || is_shutdown(samples.front().stack)) return;
  BlockingCall blocking_call;
  blocking_call.kind = observation.kind;
  blocking_call.count = 1;
  blocking_call.total = call.duration;
  blocking_call.last = call.begin;
  blocking_call.longest = identity_of(call);
  blocking_call.longest.samples = 1;
  blocking_call.longest.cause = samples.front().observed->sample->call->cause;
  blame(call, samples, blocking_call.longest);
  blocking_call.longest.cause =
      cause_within_runtime(blocking_call.longest.cause, blocking_call.longest.stack);
  blocking_call.longest.advice =
      advice(blocking_call.longest, runtime_of(blocking_call.longest, *call.modules));
  blocking_call.longest.fingerprint = fingerprint(blocking_call.longest);
  reporter_.blocking_call(blocking_call);
}

// Of most workers the place is known by the time that they are idle for long.
std::optional<StallSeen> Analyst::without_idle_waits(const StallSeen& observation) {
  StallSeen rest = observation;
  Nanoseconds idle{};
  std::set<std::pair<intercept::Function, uint64_t>> places;
  for (const WeighedSample& observed : observation.samples) {
    const Sample& seen = *observed.sample;
    if (seen.source != Sample::Source::kRecord || !may_be_idle_wait(seen.recorded) ||
        !seen.snapshot ||
        !is_idle_stack(reader_.read_native(observation.pid, seen), observation.shares_loop)) {
      continue;
    }
    idle += observed.weight;
    places.emplace(seen.recorded.function, seen.recorded.call_site);
  }
  if (places.empty()) return rest;
  const auto is_at_idle_wait = [&](intercept::Function function, uint64_t call_site) {
    return places.contains({function, call_site});
  };
  std::erase_if(rest.samples, [&](const WeighedSample& sample) {
    return is_at_idle_wait(sample.sample->recorded.function, sample.sample->recorded.call_site);
  });
  Nanoseconds summed{};
  std::erase_if(rest.contributors, [&](const ObservedContributor& entry) {
    if (!is_at_idle_wait(entry.function, entry.call_site)) return false;
    summed += entry.total;
    return true;
  });
  idle = std::min(std::max(idle, summed), rest.duration);
  rest.duration -= idle;
  rest.spent.blocked -= std::min(idle, rest.spent.blocked);
  if (rest.duration <= rest.threshold) return std::nullopt;
  return rest;
}

void Analyst::analyse(const StallSeen& observation) {
  const auto in_loop = without_loop_end(observation);
  if (open_.contains(observation.id)) {
    report(in_loop.value_or(observation));
  } else if (const auto rest = in_loop ? without_idle_waits(*in_loop) : std::nullopt) {
    report(*rest);
  }
}

void Analyst::add_missing_names(const StallSeen& observation,
                                const std::vector<ReadSample>& samples, Stall& stall) {
  const bool is_cut = reader_.symbolizer().has_cut_perf_map(observation.pid);
  for (const ReadSample& sample : samples) {
    const std::string why = why_names_are_missing(observation.pid, sample.stack, sample.complete,
                                                  *observation.modules, is_cut);
    if (why.empty()) continue;
    const auto told = missing_reported_.emplace(std::make_pair(stall.pid, why), stall.id);
    if (told.first->second == stall.id) add_note(stall, why);
  }
}

void Analyst::report(const StallSeen& observation) {
  Stall stall = identity_of(observation);
  stall.pending_events = observation.pending_events;
  stall.iteration = observation.iteration;
  stall.notes = observation.notes;
  stall.spent = observation.spent;
  stall.spent.in_calls = observation.other_calls;

  const std::vector<ReadSample> samples = read_samples(observation);
  stall.samples = static_cast<unsigned>(samples.size());
  stall.stacks = distinct_stacks(samples);
  for (const ReadSample& sample : samples) {
    if (!sample.note.empty()) add_note(stall, sample.note);
  }
  add_missing_names(observation, samples, stall);
  const bool shutting_down = std::any_of(samples.begin(), samples.end(),
                                         [](const ReadSample& s) { return is_shutdown(s.stack); });
  if (stall.state != StallState::kEnded && shutting_down && !open_.contains(stall.id)) return;

  for (const ObservedContributor& entry : observation.contributors) {
    ContributorShare share;
    share.function = name_of(entry.function);
    share.count = entry.count;
    share.total = entry.total;
    share.longest = entry.longest;
    RawFrame caller;
    caller.address = RemoteAddress(entry.call_site);
    auto frames = reader_.symbolizer().symbolize(observation.pid, *observation.modules, caller);
    if (!frames.empty()) share.caller = std::move(frames.front());
    stall.spent.in_calls += entry.total;
    stall.contributors.push_back(std::move(share));
  }
  stall.cause = decide_cause(evidence_of(observation));
  blame(observation, samples, stall);
  stall.cause = cause_within_runtime(stall.cause, stall.stack);
  stall.advice = advice(stall, runtime_of(stall, *observation.modules));
  stall.fingerprint = fingerprint(stall);

  if (stall.state == StallState::kOngoing) {
    open_.insert(stall.id);
  } else {
    open_.erase(stall.id);
    ++stalls_;
    stalled_ += stall.duration;
  }
  reporter_.stall(stall);
}

}  // namespace tailback
