#include "tests/benchmarks/accuracy/target/stall_kinds.h"

#include <algorithm>

#include "demos/echo/callbacks.h"
#include "tests/benchmarks/accuracy/target/event_loop.h"
#include "tests/benchmarks/accuracy/target/machine_stalls.h"
#include "tests/benchmarks/accuracy/target/many_calls.h"

namespace tailback::accuracy {
namespace {

constexpr std::string_view kSeveral = "several";

// What the demo's callbacks wait for. `stuck` callbacks do not end, and sleep() takes whole
// seconds.
struct DemoTruth {
  std::string_view family;
  std::string_view call;  // empty: all of the family not named before
  std::string_view group;
  std::string_view causes;
  bool one_thread = false;
};
constexpr DemoTruth kDemoTruths[] = {
    {"sleep", "sleep", "", ""},
    {"sleep", "", "sleep", "sleep"},
    {"file", "", "file", "file"},
    {"message", "flock", "file", "file"},
    {"message", "fcntl", "file", "file"},
    {"message", "lockf", "file", "file"},
    {"message", "", "ipc", "ipc"},
    {"pipe", "dlopen", "", ""},  // loads once only
    {"pipe", "", "ipc", "ipc"},
    {"stream", "flockfile", "lock", "lock"},
    {"stream", "", "ipc", "ipc"},
    {"socket", "", "socket", "socket"},
    {"dns", "", "dns", "dns"},
    {"process", "", "process", "process"},
    {"lock", "timed_mutex", "", ""},              // waits for its holder, too
    {"lock", "c11_mutex", "lock", "lock", true},  // these two set up what others might hold
    {"wait", "once", "wait", "wait", true},
    {"lock", "", "lock", "lock"},
    {"wait", "", "wait", "wait"},
    {"signal", "", "wait", "wait", true},
    {"nested", "epoll_wait", "nested", "socket,ipc,wait"},
    {"nested", "", "nested", "socket"},
    {"cpu", "", "cpu", "cpu"},
    {"many", "", "many", "many"},
};

void add_demo_kinds(std::vector<StallKind>& kinds) {
  for (const auto callbacks :
       {demo::sleep_callbacks(), demo::file_callbacks(), demo::pipe_callbacks(),
        demo::socket_callbacks(), demo::lock_callbacks(), demo::thread_callbacks(),
        demo::stream_callbacks(), demo::message_callbacks(), demo::signal_callbacks(),
        demo::process_callbacks(), demo::name_callbacks(), demo::nested_wait_callbacks(),
        demo::cpu_callbacks()}) {
    for (const demo::Callback& callback : callbacks) {
      const auto truth =
          std::find_if(std::begin(kDemoTruths), std::end(kDemoTruths), [&](const DemoTruth& one) {
            return one.family == callback.family && (one.call.empty() || one.call == callback.call);
          });
      if (truth == std::end(kDemoTruths) || truth->group.empty()) continue;
      kinds.push_back(
          {truth->group, callback.call, truth->causes, callback.block, truth->one_thread});
    }
  }
}

std::vector<StallKind> all_kinds() {
  std::vector<StallKind> kinds;
  add_demo_kinds(kinds);
  for (const StallKind& kind : many_calls_kinds()) kinds.push_back(kind);
  for (const StallKind& kind : machine_stall_kinds()) kinds.push_back(kind);
  return kinds;
}

const std::vector<StallKind>& kinds() {
  static const std::vector<StallKind> list = all_kinds();
  return list;
}

}  // namespace

StallSource::StallSource(uint64_t seed, const std::vector<std::string>& only_groups, bool alone)
    : random_(seed), alone_(alone) {
  const auto wanted = [&](std::string_view group) {
    return only_groups.empty() ||
           std::find(only_groups.begin(), only_groups.end(), group) != only_groups.end();
  };
  for (const StallKind& kind : kinds()) {
    if (!wanted(kind.group) || (kind.one_thread && !alone_)) continue;
    if (std::find(groups_.begin(), groups_.end(), kind.group) == groups_.end()) {
      groups_.push_back(kind.group);
    }
  }
  if (wanted(kSeveral)) groups_.push_back(kSeveral);
}

std::string_view StallSource::next_group() {
  if (groups_.empty()) return {};
  if (round_.empty()) {
    round_ = groups_;
    std::shuffle(round_.begin(), round_.end(), random_);
  }
  const std::string_view group = round_.back();
  round_.pop_back();
  return group;
}

void StallSource::prepare(std::string_view group) {
  if (group == "throttled") enter_small_quota();
}

void StallSource::settle(std::string_view group) {
  if (group == "throttled") leave_small_quota();
}

const StallKind* StallSource::draw(std::string_view group) {
  std::vector<const StallKind*> choice;
  for (const StallKind& kind : kinds()) {
    if (kind.group == group && (alone_ || !kind.one_thread)) choice.push_back(&kind);
  }
  return choice[random_() % choice.size()];
}

StallPart StallSource::run_part(const StallKind& kind, Milliseconds length) const {
  const int64_t begin = now_ns();
  const int64_t runnable = clock_.read().runnable_ns;
  kind.block(length);
  return {&kind, now_ns() - begin, clock_.read().runnable_ns - runnable};
}

std::vector<StallPart> StallSource::block(std::string_view group, Milliseconds length) {
  if (group == kSeveral) return block_twice(length);
  return {run_part(*draw(group), length)};
}

// One takes between 70 and 85 % of the time, before or after the other.
std::vector<StallPart> StallSource::block_twice(Milliseconds length) {
  constexpr std::string_view kGroups[] = {"sleep", "file", "socket",  "dns", "ipc",
                                          "lock",  "wait", "process", "cpu"};
  const size_t heavy = random_() % std::size(kGroups);
  const size_t light = (heavy + 1 + random_() % (std::size(kGroups) - 1)) % std::size(kGroups);
  const Milliseconds most = length * (70 + static_cast<int>(random_() % 16)) / 100;
  const StallKind& first = *draw(kGroups[heavy]);
  const StallKind& second = *draw(kGroups[light]);
  std::vector<StallPart> parts;
  if (random_() % 2 == 0) {
    parts.push_back(run_part(first, most));
    parts.push_back(run_part(second, length - most));
  } else {
    parts.push_back(run_part(second, length - most));
    parts.push_back(run_part(first, most));
  }
  std::sort(parts.begin(), parts.end(),
            [](const StallPart& a, const StallPart& b) { return a.length_ns > b.length_ns; });
  return parts;
}

std::vector<std::string> prepare_stalls() {
  std::vector<std::string> lacking = prepare_machine_stalls();
  kinds();  // asks what there is
  return lacking;
}

void clean_up_after_stalls() {
  clean_up_after_machine_stalls();
}

}  // namespace tailback::accuracy
