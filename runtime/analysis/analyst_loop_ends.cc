// Iterations that outlived their loop: only the time before that is a callback's.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/analysis/analyst.h"

namespace tailback {

void Analyst::analyse(const LoopWaitSeen& observation) {
  loop_ends_.learn(observation, reader_.unwinder().unwind(observation.snapshot));
}

bool Analyst::is_after_loop(const StallSeen& observation, const Sample& sample) {
  return sample.snapshot &&
         loop_ends_.proves(observation, sample, reader_.unwinder().unwind(*sample.snapshot));
}

// A program that calls exit() in a callback is done with its loop, too.
bool Analyst::is_at_exit(const StallSeen& observation, const Sample& sample) {
  return observation.state != StallState::kEnded && sample.snapshot &&
         is_shutdown(reader_.read_native(observation.pid, sample));
}

// The least that any sample of this iteration has shown, those of earlier reports included.
Nanoseconds Analyst::over_since(const StallSeen& observation, Nanoseconds seen) {
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

// Where control can't get back to the wait at one moment, it can't later either: one proof stands
// for all that comes after it.
std::optional<StallSeen> Analyst::without_loop_end(const StallSeen& observation) {
  // What is waited for again on the same descriptor had to wait, whatever the code looks like.
  const bool goes_on = observation.state == StallState::kEnded && observation.loop.fd >= 0;
  if (goes_on) return observation;
  const auto first = std::find_if(observation.samples.begin(), observation.samples.end(),
                                  [&](const WeighedSample& observed) {
                                    return is_after_loop(observation, *observed.sample) ||
                                           is_at_exit(observation, *observed.sample);
                                  });
  if (first == observation.samples.end()) return observation;
  const Nanoseconds since = over_since(observation, first->since);
  const Nanoseconds in_loop = std::min(since, observation.duration);
  const Nanoseconds after = observation.duration - in_loop;
  if (in_loop <= observation.threshold) {
    if (observation.state == StallState::kOngoing) {
      verdicts_.post(NoStall{observation.iteration_id});
    }
    const bool is_published =
        observation.state != StallState::kOngoing && !is_at_exit(observation, *first->sample);
    if (is_published) note_loop_end(observation, after);
    return std::nullopt;
  }
  // What was there before is not known.
  if (first == observation.samples.begin()) return observation;

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
  rest.duration = in_loop;
  rest.spent = {};
  rest.runnable_at_most.reset();
  rest.notes.push_back(fmt::format("{} ms more after its loop was over, which are not counted",
                                   std::chrono::round<std::chrono::milliseconds>(after).count()));
  return rest;
}

void Analyst::note_loop_end(const StallSeen& observation, Nanoseconds length) {
  constexpr size_t kMostTold = 256;
  if (loop_ends_reported_.size() >= kMostTold ||
      !loop_ends_reported_.emplace(observation.pid, observation.wait.key).second) {
    return;
  }
  Note note;
  note.kind = NoteKind::kAfterLoop;
  note.time = observation.begin + std::chrono::round<WallTime::duration>(observation.duration);
  note.length = length;
  name_thread(observation, note);
  reporter_.note(note);
}

}  // namespace tailback
