#include "runtime/analysis/loop_end_judge.h"

#include <algorithm>

#include "runtime/analysis/answer_waits.h"
#include "runtime/explain/culprit.h"
#include "runtime/explain/program_end.h"

namespace tailback {

namespace {

using Samples = std::vector<WeighedSample>;

// The part of the observation that lies before the sample `first`.
StallSeen before_sample(const StallSeen& observation, Samples::const_iterator first) {
  StallSeen rest = observation;
  rest.samples.assign(observation.samples.begin(), first);
  std::erase_if(rest.contributors, [&](const ObservedContributor& entry) {
    return std::any_of(first, observation.samples.end(), [&](const WeighedSample& observed) {
      const Sample& sample = *observed.sample;
      return sample.source == Sample::Source::kRecord &&
             sample.recorded.function == entry.function &&
             sample.recorded.call_site == entry.call_site;
    });
  });
  rest.spent = {};
  rest.runnable_at_most.reset();
  return rest;
}

}  // namespace

void LoopEndJudge::analyze(const LoopWaitSeen& wait) {
  loop_ends_->learn(wait, reader_.source().unwind(wait.snapshot));
}

bool LoopEndJudge::is_after_loop(const StallSeen& observation, const Sample& sample) {
  return sample.snapshot &&
         loop_ends_->proves(observation, sample, reader_.source().unwind(*sample.snapshot));
}

// Who runs a loop again goes on: then the iteration ends.
bool LoopEndJudge::has_left_loop(const StallSeen& observation, const Sample& sample) {
  return observation.state != StallState::kEnded && sample.snapshot &&
         callbacks_.has_left_loop(observation, reader_.read(observation.pid, sample));
}

// A program that calls exit() in a callback is done with its loop, too. Node runs its loop once
// more when it has ended, to close what is open.
bool LoopEndJudge::is_at_exit(const StallSeen& observation, const Sample& sample) {
  if (!sample.snapshot) return false;
  const auto end = find_program_end(reader_.read_native(observation.pid, sample));
  return end && (observation.state != StallState::kEnded || end->is_final);
}

// The least that any sample of this iteration has shown, those of earlier reports included.
Nanoseconds LoopEndJudge::over_since(const StallSeen& observation, Nanoseconds seen) {
  constexpr size_t kMostRemembered = 4096;
  const auto known = over_since_.find(observation.iteration_id);
  if (known != over_since_.end()) seen = std::min(seen, known->second);
  if (observation.state != StallState::kOngoing) {
    over_since_.erase(observation.iteration_id);
  } else {
    if (over_since_.size() >= kMostRemembered) over_since_.clear();
    over_since_[observation.iteration_id] = seen;
  }
  return seen;
}

// If control can't get back to the wait at one moment, it can't get back later either: one proof
// holds for all that comes after it.
std::optional<StallSeen> LoopEndJudge::without_loop_end(const StallSeen& observation) {
  // The thread waits on the same descriptor again, so the loop goes on, whatever the code looks
  // like.
  const bool goes_on = observation.state == StallState::kEnded && observation.loop.fd >= 0;
  if (is_after_wait_for_answer(observation, reader_)) {
    if (observation.state == StallState::kOngoing) {
      verdicts_.post(NoStall{observation.iteration_id});
    } else {
      verdicts_.post(LengthJudged{observation.iteration_id, observation.duration, {}, false});
    }
    return std::nullopt;
  }
  // What has not ended by its last sample has not ended before.
  if (goes_on && (observation.samples.empty() ||
                  !is_at_exit(observation, *observation.samples.back().sample))) {
    return observation;
  }
  const auto first = std::find_if(
      observation.samples.begin(), observation.samples.end(), [&](const WeighedSample& observed) {
        const Sample& sample = *observed.sample;
        return (!goes_on && is_after_loop(observation, sample)) ||
               is_at_exit(observation, sample) || has_left_loop(observation, sample);
      });
  if (first == observation.samples.end()) return observation;
  const Nanoseconds since = over_since(observation, first->since);
  const Nanoseconds in_loop = std::min(since, observation.duration);
  const Nanoseconds after = observation.duration - in_loop;
  if (observation.state == StallState::kEnded) {
    verdicts_.post(LengthJudged{observation.iteration_id, observation.duration, in_loop});
  }
  if (in_loop <= observation.threshold) {
    if (observation.state == StallState::kOngoing) {
      verdicts_.post(NoStall{observation.iteration_id});
    } else if (!is_at_exit(observation, *first->sample)) {
      note_end(observation, NoteKind::kAfterLoop, after, {});
    } else if (after > observation.threshold) {
      note_end(observation, NoteKind::kProgramEnd, after, longest_end(observation));
    }
    return std::nullopt;
  }
  // Nothing is known of the time before the first sample.
  if (first == observation.samples.begin()) return observation;

  StallSeen rest = before_sample(observation, first);
  rest.duration = in_loop;
  rest.limits.push_back({LimitKind::kAfterLoop, after});
  return rest;
}

// The stack in which the program ended for longest.
ReadStack LoopEndJudge::longest_end(const StallSeen& observation) {
  ReadStack longest;
  Nanoseconds weight{-1};
  for (const WeighedSample& observed : observation.samples) {
    if (!observed.sample->snapshot || observed.weight <= weight) continue;
    ReadStack stack = reader_.read(observation.pid, *observed.sample);
    const auto end = find_program_end(stack.frames);
    if (!end) continue;
    // Of C's exit handlers the program's own says more.
    const bool is_handler =
        stack.culprit < end->frame && is_system_library(stack.frames[end->frame]);
    if (!is_handler) stack.culprit = end->frame;
    weight = observed.weight;
    longest = std::move(stack);
  }
  return longest;
}

void LoopEndJudge::note_end(const StallSeen& observation, NoteKind kind, Nanoseconds length,
                            ReadStack stack) {
  constexpr size_t kMostNoted = 256;
  if (noted_.size() >= kMostNoted ||
      !noted_.emplace(observation.pid, observation.wait.key).second) {
    return;
  }
  Note note;
  note.kind = kind;
  note.time = observation.begin + std::chrono::round<WallTime::duration>(observation.duration);
  note.length = length;
  name_thread(observation, note);
  note.stack = std::move(stack.frames);
  note.culprit = stack.culprit;
  note.stack_complete = stack.complete || note.stack.empty();
  reporter_.report(note);
}

}  // namespace tailback
