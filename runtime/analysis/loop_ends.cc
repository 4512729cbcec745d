#include "runtime/analysis/loop_ends.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "runtime/control_flow/second_returns.h"
#include "runtime/values/frame.h"

namespace tailback {

namespace {

constexpr size_t kMostLoopWaits = 1024;
constexpr size_t kLatestLoopWaits = 4;
constexpr size_t kMostAnswers = 4096;
constexpr size_t kMostModules = 512;

bool is_same(const RawFrame& one, const RawFrame& other) {
  return one.address == other.address && one.stack_pointer == other.stack_pointer &&
         one.after_call == other.after_call;
}

// How many of the outermost frames both have.
size_t common_frames(const RawStack& one, const RawStack& other) {
  const auto [end, unused] = std::mismatch(one.frames.rbegin(), one.frames.rend(),
                                           other.frames.rbegin(), other.frames.rend(), is_same);
  return static_cast<size_t>(end - one.frames.rbegin());
}

bool is_in_c_library(const ModuleMap& modules, const RawFrame& frame) {
  const Mapping* mapping = modules.find(frame.address);
  if (mapping == nullptr) return false;
  const std::string_view name = file_name(mapping->path);
  return name.starts_with("libc.so") || name.starts_with("libc-2.") ||
         name.starts_with("libpthread");
}

}  // namespace

struct LoopEnds::Comparison {
  int pid;
  const SeenWait& wait;
  const ModuleMap& modules;
  const RawStack& stack;
  size_t waiter;      // index in the wait's stack of the frame that waits
  size_t wait_parts;  // … and of the one in which the ways part
  size_t parts;       // the same one's in the other stack
  bool in_call;       // that stack begins with the recorder's frame
};

void LoopEnds::learn(const LoopWaitSeen& wait, RawStack stack) {
  const WaitKey key{wait.pid, wait.tid, wait.place.key};
  if (waits_.size() >= kMostLoopWaits && !waits_.contains(key)) {
    waits_.erase(std::min_element(waits_.begin(), waits_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  SeenWaits& waits = waits_[key];
  waits.used = ++clock_;
  waits.latest.push_back({wait.place, std::move(stack)});
  if (waits.latest.size() > kLatestLoopWaits) waits.latest.pop_front();
}

const LoopEnds::SeenWait* LoopEnds::wait_before(const StallSeen& stall) {
  const auto found = waits_.find(WaitKey{stall.pid, stall.tid, stall.wait.key});
  if (found == waits_.end()) return nullptr;
  const std::deque<SeenWait>& latest = found->second.latest;
  const auto wait = std::find_if(latest.rbegin(), latest.rend(), [&](const SeenWait& one) {
    return one.place.is_at_same_depth(stall.wait) && one.place.iterations <= stall.wait.iterations;
  });
  return wait != latest.rend() ? &*wait : nullptr;
}

bool LoopEnds::returns_once(const ModuleFiles::Place& place) {
  const auto known = returns_once_.find(place.key);
  if (known != returns_once_.end()) return known->second;
  if (returns_once_.size() >= kMostModules) returns_once_.clear();
  return returns_once_[place.key] = !may_return_twice(*place.image);
}

bool LoopEnds::is_no(int pid, const ModuleMap& modules, const RawFrame& from,
                     RemoteAddress return_address, Question question) {
  const auto place =
      files_.locate(pid, modules, RemoteAddress(from.address.value - (from.after_call ? 1 : 0)));
  if (!place || !returns_once(*place)) return false;
  const CodePoint point{from.address.value - place->bias, from.after_call};
  const uint64_t call = return_address.value - place->bias;
  const Asked asked{place->key, point.address, point.after_call, call, question};
  const auto known = answers_.find(asked);
  if (known != answers_.end()) return known->second;
  Reach reach = Reach::kUnknown;
  switch (question) {
    case Question::kCall:
      reach = reachability_.of_call(*place->image, point, call);
      break;
    case Question::kCallLike:
      reach = reachability_.of_call_like(*place->image, point, call);
      break;
    case Question::kCallThatMayBeLike:
      reach = reachability_.of_call_that_may_be_like(*place->image, point, call);
      break;
    case Question::kItself:
      reach = reachability_.of_itself(*place->image, point);
      break;
  }
  if (answers_.size() >= kMostAnswers) answers_.clear();
  return answers_[asked] = reach == Reach::kNo;
}

// Whether none of the functions around the one in which the ways part can call it once more. The C
// library calls main() and the function of a thread once, which its code does not say.
bool LoopEnds::calls_once(const Comparison& at) {
  const std::vector<RawFrame>& frames = at.wait.stack.frames;
  bool may_be_start = true;
  for (size_t i = frames.size() - 1; i > at.wait_parts; --i) {
    if (may_be_start && is_in_c_library(at.modules, frames[i])) continue;
    may_be_start = i == frames.size() - 1;
    if (!frames[i].after_call ||
        !is_no(at.pid, at.modules, frames[i], frames[i].address, Question::kCallLike)) {
      return false;
    }
  }
  return true;
}

bool LoopEnds::is_same_module(const Comparison& at, const RawFrame& one, const RawFrame& other) {
  const auto place = files_.locate(at.pid, at.modules, one.address);
  const auto other_place = files_.locate(at.pid, at.modules, other.address);
  return !place || !other_place || place->key == other_place->key;
}

// What called the waiting function, itself or through others, had its end of the stack where that
// begins, or above. So such frames must not turn, the waiting function itself must be done, and
// what they are called from must not call them once more.
bool LoopEnds::holds_no_other_loop(const Comparison& at) {
  const RawFrame& waiter = at.wait.stack.frames[at.waiter];
  const RawFrame& caller = at.wait.stack.frames[at.waiter + 1];
  bool within = false;  // a frame further in may be one of those
  for (size_t i = at.in_call ? 1 : 0; i <= at.parts; ++i) {
    const RawFrame& frame = at.stack.frames[i];
    if (within && !is_no(at.pid, at.modules, frame, frame.address, Question::kCallLike)) {
      return false;
    }
    if (i == at.parts) break;
    if (frame.stack_pointer >= caller.stack_pointer) {
      within = true;
      if (!is_no(at.pid, at.modules, frame, frame.address, Question::kItself)) return false;
    } else if (frame.stack_pointer == waiter.stack_pointer && is_same_module(at, frame, waiter)) {
      within = true;
      if (!is_no(at.pid, at.modules, frame, waiter.address, Question::kCallLike)) return false;
    }
  }
  return true;
}

// The wait that began this iteration may have been another than the one that was seen: made from
// the same function at the same depth, in a call that came later. Then that is over, too, unless
// the call can come again.
bool LoopEnds::comes_by_no_other_way(const Comparison& at) {
  const RawFrame& here = at.stack.frames[at.parts];
  const RawFrame& way_to_wait = at.wait.stack.frames[at.wait_parts];
  if (is_no(at.pid, at.modules, here, here.address, Question::kItself)) return true;
  // The frame that waits begins where this one ends, so that it was called from here.
  return at.waiter + 1 == at.wait_parts && here.stack_pointer <= way_to_wait.stack_pointer &&
         is_no(at.pid, at.modules, here, way_to_wait.address, Question::kCallThatMayBeLike);
}

bool LoopEnds::waits_no_more(const Comparison& at, const LoopWait& wait) {
  const RawFrame& here = at.stack.frames[at.parts];
  const RawFrame& way_to_wait = at.wait.stack.frames[at.wait_parts];
  // Where the wait itself is made here, it was this one: its place and depth are those of the
  // iteration.
  if (at.waiter == at.wait_parts) {
    return is_no(at.pid, at.modules, here, way_to_wait.address, Question::kCallLike);
  }
  if (!is_no(at.pid, at.modules, here, way_to_wait.address, Question::kCall)) return false;
  // Of a loop that has its first call beside it, only that one was seen to wait.
  if (at.wait.place.iterations == wait.iterations) {
    return is_no(at.pid, at.modules, here, here.address, Question::kItself) ||
           is_no(at.pid, at.modules, here, way_to_wait.address, Question::kCallLike);
  }
  return comes_by_no_other_way(at) && holds_no_other_loop(at);
}

bool LoopEnds::proves(const StallSeen& stall, const Sample& sample, const RawStack& stack) {
  const SeenWait* wait = wait_before(stall);
  const bool registers_known =
      sample.source == Sample::Source::kRecord || sample.source == Sample::Source::kHold;
  if (wait == nullptr || !registers_known || !sample.snapshot || !wait->stack.complete ||
      !stack.complete) {
    return false;
  }
  const std::vector<RawFrame>& frames = wait->stack.frames;
  const size_t common = common_frames(wait->stack, stack);
  if (common == 0 || common >= frames.size() || common >= stack.frames.size()) return false;
  const auto waiter = std::find_if(frames.begin(), frames.end(), [&](const RawFrame& frame) {
    return frame.after_call && frame.address.value == wait->place.call_site;
  });
  const Comparison at{stall.pid,
                      *wait,
                      *sample.snapshot->modules,
                      stack,
                      static_cast<size_t>(waiter - frames.begin()),
                      frames.size() - common - 1,
                      stack.frames.size() - common - 1,
                      sample.source == Sample::Source::kRecord && !sample.held};
  const RawFrame& way_to_wait = frames[at.wait_parts];
  const RawFrame& here = stack.frames[at.parts];
  return at.waiter <= at.wait_parts && way_to_wait.after_call &&
         here.address != way_to_wait.address && calls_once(at) && waits_no_more(at, stall.wait);
}

}  // namespace tailback
