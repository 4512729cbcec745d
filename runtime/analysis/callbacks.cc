#include "runtime/analysis/callbacks.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

namespace tailback {

namespace {

constexpr size_t kMostWaits = 1024;

bool is_same_function(const Frame& one, const Frame& other) {
  return one.function == other.function && one.file == other.file && one.module == other.module &&
         one.language == other.language &&
         (!one.function.empty() || !one.file.empty() || one.offset == other.offset);
}

// How many of the innermost frames of `stack` the wait's stack does not have.
size_t frames_within(const std::vector<Frame>& stack, const std::vector<Frame>& wait) {
  const auto [end, unused] =
      std::mismatch(stack.rbegin(), stack.rend(), wait.rbegin(), wait.rend(), is_same_function);
  return static_cast<size_t>(stack.rend() - end);
}

// An interpreter's own frames may get a little larger or smaller once code is hot; a nested loop
// waits deeper.
bool is_of_same_loop(const LoopWait& one, const LoopWait& other) {
  constexpr uint64_t kSlack = 1024;
  const auto [less, more] = std::minmax(one.stack_pointer, other.stack_pointer);
  return one.call_site == other.call_site && more - less <= kSlack;
}

bool has_frames(const std::vector<InterpreterStack>& interpreted) {
  return std::any_of(interpreted.begin(), interpreted.end(),
                     [](const InterpreterStack& stack) { return !stack.frames.empty(); });
}

struct RunFunction {
  std::string_view function;
  std::string_view file;
};

// Functions of Python that run a loop until it is stopped.
bool runs_to_the_end(const Frame& frame) {
  static constexpr std::array<RunFunction, 3> kFunctions = {
      {{"run_forever", "/asyncio/base_events.py"},
       {"mainLoop", "/twisted/internet/base.py"},
       {"run", "/trio/_core/_run.py"}}};
  const std::string_view name = frame.function;
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return std::any_of(kFunctions.begin(), kFunctions.end(), [&](const RunFunction& one) {
    return last == one.function && std::string_view(frame.file).ends_with(one.file);
  });
}

std::string task_of(const Sample& sample) {
  std::string task;
  for (const InterpreterStack& interpreted : sample.interpreted) {
    if (!interpreted.task.empty()) task = interpreted.task;
  }
  return task;
}

// One sample may not have read its task.
bool is_same_callback(const SampledCallback& one, const SampledCallback& other) {
  const bool has_tasks = !one.task.empty() && !other.task.empty();
  return has_tasks ? one.task == other.task : is_same_function(one.entry, other.entry);
}

}  // namespace

void Callbacks::analyze(const LoopWaitSeen& wait) {
  if (!wait.interpreted) return;
  const WaitKey key{wait.pid, wait.tid, wait.place.key};
  if (waits_.size() >= kMostWaits && !waits_.contains(key)) {
    waits_.erase(std::min_element(waits_.begin(), waits_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  // An interpreter may not have been known at one of the reads. A nested loop's wait does not take
  // the place of the outer one's.
  const auto before = waits_.find(key);
  if (before != waits_.end() && before->second.raw.complete &&
      before->second.place.call_site == wait.place.call_site) {
    const bool is_nested = before->second.place.stack_pointer > wait.place.stack_pointer;
    const bool says_less = before->second.place.is_at_same_depth(wait.place) &&
                           has_frames(before->second.interpreted) && !has_frames(*wait.interpreted);
    if (is_nested || says_less) return;
  }
  Wait& known = waits_[key];
  known = Wait{.place = wait.place,
               .raw = reader_.source().unwind(wait.snapshot),
               .modules = wait.snapshot.modules,
               .interpreted = *wait.interpreted,
               .is_interpreted = has_frames(*wait.interpreted),
               .frames = {},
               .used = ++clock_};
}

const Callbacks::Wait* Callbacks::wait_of(const StallSeen& observation) {
  const auto found = waits_.find(WaitKey{observation.pid, observation.tid, observation.wait.key});
  if (found == waits_.end()) return nullptr;
  Wait& wait = found->second;
  if (!wait.raw.complete || !is_of_same_loop(wait.place, observation.wait)) return nullptr;
  wait.used = ++clock_;
  if (!std::exchange(wait.is_read, true)) {
    wait.frames =
        reader_.read(observation.pid, *wait.modules, wait.raw, wait.interpreted, false).frames;
  }
  return &wait;
}

bool Callbacks::has_left_loop(const StallSeen& observation, const ReadStack& stack) {
  const Wait* const wait = wait_of(observation);
  if (!wait || !stack.complete) return false;
  const auto& waiting = wait->frames;
  const auto run = std::find_if(waiting.begin(), waiting.end(), runs_to_the_end);
  if (run == waiting.end()) return false;
  const bool is_read =
      std::any_of(stack.frames.begin(), stack.frames.end(),
                  [&](const Frame& frame) { return frame.language == run->language; });
  return is_read && std::none_of(stack.frames.begin(), stack.frames.end(),
                                 [&](const Frame& frame) { return is_same_function(frame, *run); });
}

std::vector<SampledCallback> Callbacks::assign(const StallSeen& observation,
                                               std::vector<ReadSample>& samples) {
  const Wait* const wait = wait_of(observation);
  std::vector<SampledCallback> found;
  for (ReadSample& read : samples) {
    const std::vector<Frame>& stack = read.stack.frames;
    SampledCallback callback{task_of(read.sample()), {}, 1, read.observed->weight};
    const bool is_comparable = wait && read.stack.complete &&
                               (wait->is_interpreted || !has_frames(read.sample().interpreted));
    if (is_comparable) {
      const size_t within = frames_within(stack, wait->frames);
      // Nothing in common: they are stacks of two coroutines.
      const auto entry = within < stack.size() ? reader_.entry_of(stack, within) : std::nullopt;
      if (entry) callback.entry = stack[*entry];
    }
    if (callback.task.empty() && callback.entry == Frame{}) continue;
    const auto known = std::find_if(found.begin(), found.end(), [&](const SampledCallback& one) {
      return is_same_callback(one, callback);
    });
    read.callback = static_cast<size_t>(known - found.begin());
    if (known == found.end()) {
      found.push_back(std::move(callback));
      continue;
    }
    known->samples += callback.samples;
    known->weight += callback.weight;
    if (known->task.empty()) known->task = std::move(callback.task);
    if (known->entry == Frame{}) known->entry = std::move(callback.entry);
  }
  std::vector<size_t> order(found.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return found[a].weight > found[b].weight; });
  std::vector<size_t> place(found.size());
  std::vector<SampledCallback> sorted;
  for (const size_t index : order) {
    place[index] = sorted.size();
    sorted.push_back(std::move(found[index]));
  }
  for (ReadSample& read : samples) {
    if (read.callback) read.callback = place[*read.callback];
  }
  return sorted;
}

}  // namespace tailback
