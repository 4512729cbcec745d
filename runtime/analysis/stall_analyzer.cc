#include "runtime/analysis/stall_analyzer.h"

#include <algorithm>
#include <utility>

#include "runtime/analysis/stall_evidence.h"
#include "runtime/explain/advice.h"
#include "runtime/explain/fingerprint.h"
#include "runtime/explain/missing_names.h"
#include "runtime/explain/program_end.h"
#include "runtime/explain/runtime_of.h"

namespace tailback {

namespace {

void add_once(std::vector<ReportLimit>& limits, const ReportLimit& limit) {
  if (std::find(limits.begin(), limits.end(), limit) == limits.end()) limits.push_back(limit);
}

bool is_any_at_shutdown(const std::vector<ReadSample>& samples) {
  return std::any_of(samples.begin(), samples.end(),
                     [](const ReadSample& read) { return is_shutdown(read.stack.frames); });
}

}  // namespace

void StallAnalyzer::analyze(const StallSeen& observation) {
  const auto in_loop = loop_ends_.without_loop_end(observation);
  // What was reported as ongoing is reported to its end.
  if (open_.contains(observation.id)) {
    report(in_loop.value_or(observation));
    return;
  }
  if (!in_loop) return;
  if (const auto rest = idle_waits_.without_idle_waits(*in_loop)) report(*rest);
}

void StallAnalyzer::add_limits(const StallSeen& observation, const std::vector<ReadSample>& samples,
                               Stall& stall) {
  for (const ReadSample& read : samples) {
    const std::string& note = read.stack.note;
    if (note.empty()) continue;
    if (read.stack.unreadable && !process_notes_.may_say(stall.pid, note, stall.id)) continue;
    add_once(stall.limits, {LimitKind::kStackOfInterpreter, {}, {}, note});
  }
  const bool is_cut = reader_.source().has_cut_perf_map(observation.pid);
  for (const ReadSample& read : samples) {
    const std::string why = why_names_are_missing(
        observation.pid, read.stack.frames, read.stack.complete, *observation.modules, is_cut);
    if (why.empty() || !process_notes_.may_say(stall.pid, why, stall.id)) continue;
    add_once(stall.limits, {LimitKind::kOther, {}, {}, why});
  }
}

void StallAnalyzer::add_contributors(const StallSeen& observation, Stall& stall) {
  for (const ObservedContributor& entry : observation.contributors) {
    ContributorShare share;
    share.function = intercept::kFunctions[static_cast<uint32_t>(entry.function)].name;
    share.count = entry.count;
    share.total = entry.total;
    share.longest = entry.longest;
    RawFrame caller;
    caller.address = RemoteAddress(entry.call_site);
    auto frames = reader_.source().symbolize(observation.pid, *observation.modules, caller);
    if (!frames.empty()) share.caller = std::move(frames.front());
    stall.spent.in_calls += entry.total;
    stall.contributors.push_back(std::move(share));
  }
}

void StallAnalyzer::report(const StallSeen& observation) {
  Stall stall = identity_of(observation);
  std::vector<ReadSample> samples = read_samples(reader_, observation);
  const bool is_open = open_.contains(stall.id);
  if (stall.state != StallState::kEnded && !is_open && is_any_at_shutdown(samples)) return;

  stall.pending_events = observation.pending_events;
  stall.iteration = observation.iteration;
  stall.limits = observation.limits;
  stall.spent = observation.spent;
  stall.spent.in_calls = observation.other_calls;
  stall.callbacks = callbacks_.assign(observation, samples);
  stall.samples = static_cast<unsigned>(samples.size());
  stall.stacks = distinct_stacks(samples);
  add_limits(observation, samples, stall);
  add_contributors(observation, stall);
  StallEvidence evidence{evidence_of(observation), evidence_of(samples), {}};
  if (!stall.contributors.empty()) evidence.longest_caller = {stall.contributors.front().caller};
  const DecidedCause decided = cause_of(evidence);
  stall.cause = decided.cause;
  blame_.assign(stall.pid, decided.stack ? &samples[*decided.stack] : nullptr, stall);
  if (!stall.callbacks.empty()) {
    stall.task = stall.callbacks.size() == 1 ? stall.callbacks.front().task : std::string();
  }
  stall.advice = advice(stall, runtime_of(stall, *observation.modules));
  stall.fingerprint = fingerprint(stall);

  if (stall.state == StallState::kOngoing) {
    open_.insert(stall.id);
  } else {
    open_.erase(stall.id);
    ++stalls_;
    stalled_ += stall.duration;
  }
  reporter_.report(stall);
}

}  // namespace tailback
