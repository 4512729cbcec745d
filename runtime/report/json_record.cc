#include "runtime/report/json_record.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/report/note_text.h"
#include "runtime/report/printable.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

// Keeps the order of the fields, so that a line begins with what it is.
using Json = nlohmann::ordered_json;

constexpr size_t kShortStringBytes = 512;
constexpr size_t kListEntries = 1024;

double milliseconds(Nanoseconds duration) {
  const int64_t nanoseconds = std::max<int64_t>(duration.count(), 0);
  return std::round(static_cast<double>(nanoseconds) / 1e3) / 1e3;
}

template <typename Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Renders values with every string cut to a number of bytes.
class Renderer {
 public:
  explicit Renderer(size_t string_bytes) : string_bytes_(string_bytes) {}

  Json operator()(const SessionStart& start) const {
    Json command = Json::array();
    for (const std::string& word : start.command) {
      if (command.size() == kListEntries) break;
      command.push_back(cut(word));
    }
    return {{"schema", kReportSchema},
            {"type", "session"},
            {"version", cut(start.version)},
            {"time", rfc3339(start.time)},
            {"command", std::move(command)},
            {"pid", start.pid},
            {"observer_pid", start.observer_pid},
            {"host", cut(start.host)},
            {"threshold_ms", milliseconds(start.threshold)}};
  }

  Json operator()(const Stall& stall) const {
    const size_t frames = std::min(stall.stack.size(), kStackFrames);
    Json stack = Json::array();
    for (size_t i = 0; i < frames; ++i) stack.push_back(frame(stall.stack[i]));
    Json contributors = Json::array();
    for (const ContributorShare& share : stall.contributors) {
      if (contributors.size() == kListEntries) break;
      contributors.push_back(contributor(share));
    }
    Json notes = Json::array();
    for (const std::string& note : stall.notes) {
      if (notes.size() == kListEntries) break;
      notes.push_back(cut(note));
    }
    return {{"schema", kReportSchema},
            {"type", "stall"},
            {"id", stall.id},
            {"state", word(stall.state)},
            {"time", rfc3339(stall.begin)},
            {"pid", stall.pid},
            {"tid", stall.tid},
            {"process", cut(stall.process)},
            {"thread", cut(stall.thread)},
            {"loop", loop(stall.loop)},
            {"turn", or_null(stall.turn)},
            {"task", or_null(stall.task)},
            {"duration_ms", milliseconds(stall.duration)},
            {"threshold_ms", milliseconds(stall.threshold)},
            {"cause", word(stall.cause)},
            {"call", stall.call ? call(*stall.call) : Json(nullptr)},
            {"lock", stall.lock ? lock(*stall.lock) : Json(nullptr)},
            {"owners", owners(stall.owners)},
            {"stack", std::move(stack)},
            {"stack_complete", stall.stack_complete && frames == stall.stack.size()},
            {"culprit", stall.culprit < frames ? Json(stall.culprit) : Json(nullptr)},
            {"samples", stall.samples},
            {"stacks", Renderer(kListedStringBytes).stacks(stall.stacks)},
            {"backlog", or_null(stall.backlog)},
            {"contributors", std::move(contributors)},
            {"spent", spent(stall.spent)},
            {"notes", std::move(notes)},
            {"advice", cut(stall.advice)},
            {"fingerprint", cut(stall.fingerprint)}};
  }

  Json operator()(const Hazard& hazard) const {
    const Stall& longest = hazard.longest;
    const size_t frames = std::min(longest.stack.size(), kStackFrames);
    Json stack = Json::array();
    for (size_t i = 0; i < frames; ++i) stack.push_back(frame(longest.stack[i]));
    return {{"schema", kReportSchema},
            {"type", "hazard"},
            {"kind", word(hazard.kind)},
            {"state", word(hazard.state)},
            {"count", hazard.count},
            {"total_ms", milliseconds(hazard.total)},
            {"longest_ms", milliseconds(longest.duration)},
            {"time", rfc3339(longest.begin)},
            {"last", rfc3339(hazard.last)},
            {"pid", longest.pid},
            {"tid", longest.tid},
            {"process", cut(longest.process)},
            {"thread", cut(longest.thread)},
            {"loop", loop(longest.loop)},
            {"cause", word(longest.cause)},
            {"call", longest.call ? call(*longest.call) : Json(nullptr)},
            {"stack", std::move(stack)},
            {"stack_complete", longest.stack_complete && frames == longest.stack.size()},
            {"culprit", longest.culprit < frames ? Json(longest.culprit) : Json(nullptr)},
            {"advice", cut(longest.advice)},
            {"fingerprint", cut(longest.fingerprint)}};
  }

  Json operator()(const Deadlock& deadlock) const {
    const Renderer brief(kListedStringBytes);
    Json threads = Json::array();
    for (const DeadlockedThread& thread : deadlock.threads) {
      if (threads.size() == kListEntries) break;
      const size_t frames = std::min(thread.stack.size(), kListedFrames);
      Json holds = Json::array();
      for (const Lock& one : thread.holds) holds.push_back(lock(one));
      threads.push_back(
          {{"pid", thread.pid},
           {"tid", thread.tid},
           {"process", cut(thread.process)},
           {"thread", cut(thread.thread)},
           {"in_cycle", thread.in_cycle},
           {"call", call(thread.call)},
           {"wants", lock(thread.wants)},
           {"holds", std::move(holds)},
           {"waits_for", thread.waits_for},
           {"culprit", thread.culprit < frames ? Json(thread.culprit) : Json(nullptr)},
           {"complete", thread.stack_complete && frames == thread.stack.size()},
           {"stack", brief.listed(thread.stack)}});
    }
    Json notes = Json::array();
    for (const std::string& note : deadlock.notes) notes.push_back(cut(note));
    return {{"schema", kReportSchema},
            {"type", "deadlock"},
            {"id", deadlock.id},
            {"kind", word(deadlock.kind)},
            {"time", rfc3339(deadlock.time)},
            {"held_ms", milliseconds(deadlock.held)},
            {"threads", std::move(threads)},
            {"more_blocked", deadlock.more_blocked},
            {"notes", std::move(notes)},
            {"advice", cut(deadlock.advice)},
            {"fingerprint", cut(deadlock.fingerprint)}};
  }

  Json operator()(const LockOrder& order) const {
    Json locks = Json::array();
    for (const OrderedLock& lock : order.locks) {
      const bool known = !lock.initialised.function.empty() || !lock.initialised.module.empty();
      locks.push_back({{"address", offset(lock.address)},
                       {"kind", cut(lock.kind)},
                       {"name", or_null(lock.name)},
                       {"initialised", known ? frame(lock.initialised) : Json(nullptr)}});
    }
    Json steps = Json::array();
    for (const LockStep& step : order.steps) {
      const size_t frames = std::min(step.stack.size(), kListedFrames);
      Json stack = Json::array();
      for (size_t i = 0; i < frames; ++i) stack.push_back(frame(step.stack[i]));
      steps.push_back({{"tid", step.tid},
                       {"thread", or_null(step.thread)},
                       {"held", step.held},
                       {"held_for", cut(step.held_for)},
                       {"held_at", frame(step.held_at)},
                       {"taken", step.taken},
                       {"taken_for", cut(step.taken_for)},
                       {"stack", std::move(stack)},
                       {"stack_complete", step.stack_complete && frames == step.stack.size()},
                       {"culprit", step.culprit < frames ? Json(step.culprit) : Json(nullptr)}});
    }
    return {{"schema", kReportSchema},
            {"type", "lock-order"},
            {"time", rfc3339(order.time)},
            {"pid", order.pid},
            {"process", or_null(order.process)},
            {"locks", std::move(locks)},
            {"steps", std::move(steps)},
            {"advice", cut(order.advice)},
            {"fingerprint", cut(order.fingerprint)}};
  }

  Json operator()(const SessionStatus& status) const {
    return {{"schema", kReportSchema},       {"type", "status"},
            {"time", rfc3339(status.time)},  {"duration_ms", milliseconds(status.duration)},
            {"stalls", status.stalls},       {"stalled_ms", milliseconds(status.stalled)},
            {"processes", status.processes}, {"threads", status.threads},
            {"loops", loops(status.loops)}};
  }

  Json operator()(const Note& note) const {
    const bool of_thread = note.kind == NoteKind::kStopped;
    return {{"schema", kReportSchema},
            {"type", "note"},
            {"kind", word(note.kind)},
            {"time", rfc3339(note.time)},
            {"duration_ms", milliseconds(note.length)},
            {"pid", of_thread ? Json(note.pid) : Json(nullptr)},
            {"tid", of_thread ? Json(note.tid) : Json(nullptr)},
            {"process", or_null(note.process)},
            {"thread", or_null(note.thread)},
            {"text", note_text(note)}};
  }

  Json stacks(const std::vector<SampledStack>& stacks) const {
    Json list = Json::array();
    for (const SampledStack& one : stacks) {
      if (list.size() == kListedStacks) break;
      const size_t frames = std::min(one.stack.size(), kListedFrames);
      Json listed = Json::array();
      for (size_t i = 0; i < frames; ++i) listed.push_back(frame(one.stack[i]));
      list.push_back({{"weight_ms", milliseconds(one.weight)},
                      {"samples", one.samples},
                      {"call", or_null(one.call)},
                      {"culprit", one.culprit < frames ? Json(one.culprit) : Json(nullptr)},
                      {"complete", one.complete && frames == one.stack.size()},
                      {"stack", std::move(listed)}});
    }
    return list;
  }

  Json operator()(const SessionEnd& end) const {
    Json suppressions = Json::array();
    for (const SuppressionUse& use : end.suppressions) {
      suppressions.push_back({{"file", cut(use.file)},
                              {"line", use.line},
                              {"rule", cut(use.rule)},
                              {"stalls", use.stalls}});
    }
    Json unused_options = Json::array();
    for (const std::string& option : end.unused_options) unused_options.push_back(cut(option));
    const Losses& losses = end.losses;
    return {{"schema", kReportSchema},
            {"type", "end"},
            {"time", rfc3339(end.time)},
            {"duration_ms", milliseconds(end.duration)},
            {"exit_status", or_null(end.exit_status)},
            {"signal", or_null(end.signal)},
            {"stalls", end.stalls},
            {"stalled_ms", milliseconds(end.stalled)},
            {"processes", end.processes},
            {"threads", end.threads},
            {"longest_hold_ms", milliseconds(end.longest_hold)},
            {"losses",
             {{"events", losses.events},
              {"threads", losses.threads},
              {"processes", losses.processes},
              {"programs", losses.programs},
              {"corrupt", losses.corrupt},
              {"samples", losses.samples}}},
            {"loops", loops(end.loops)},
            {"suppressed", end.suppressed},
            {"suppressed_ms", milliseconds(end.suppressed_time)},
            {"suppressions", std::move(suppressions)},
            {"hazards",
             {{"culprits", end.hazards.culprits},
              {"calls", end.hazards.calls},
              {"unseen", end.hazards.unseen},
              {"suppressed", end.hazards.suppressed}}},
            {"deadlocks", end.deadlocks},
            {"suppressed_deadlocks", end.suppressed_deadlocks},
            {"lock_orders",
             {{"cycles", end.lock_orders.cycles},
              {"repeated", end.lock_orders.repeated},
              {"unsure", end.lock_orders.unsure},
              {"suppressed", end.lock_orders.suppressed},
              {"lost_acquisitions", end.lock_orders.acquisitions},
              {"lost_stacks", end.lock_orders.stacks}}},
            {"unused_options", std::move(unused_options)}};
  }

 private:
  std::string cut(std::string_view text) const {
    if (text.size() <= string_bytes_) return std::string(text);
    return std::string(utf8_prefix(text, string_bytes_)) + "…";
  }

  Json or_null(std::string_view text) const {
    return text.empty() ? Json(nullptr) : Json(cut(text));
  }
  template <typename T>
  static Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
  }

  Json frame(const Frame& frame) const {
    return {{"function", or_null(frame.function)},
            {"file", or_null(frame.file)},
            {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)},
            {"module", or_null(frame.module)},
            {"offset", offset(frame.offset)},
            {"inlined", frame.inlined},
            {"language", cut(frame.language)}};
  }

  // As text: JSON readers that keep numbers as doubles would round the address of JIT code.
  static std::string offset(uint64_t value) {
    char digits[18] = "0x";
    const auto [end, error] = std::to_chars(digits + 2, std::end(digits), value, 16);
    return {digits, end};
  }

  Json loop(const LoopIdentity& loop) const {
    return {{"wait", cut(loop.wait)}, {"fd", loop.fd >= 0 ? Json(loop.fd) : Json(nullptr)}};
  }

  Json loop(const LoopStatistics& statistics) const {
    return {{"pid", statistics.pid},
            {"tid", statistics.tid},
            {"process", cut(statistics.process)},
            {"thread", cut(statistics.thread)},
            {"loop", loop(statistics.loop)},
            {"turns", statistics.turns},
            {"busy_ms", milliseconds(statistics.busy)},
            {"lifetime_ms", milliseconds(statistics.lifetime)},
            {"p50_ms", milliseconds(statistics.p50)},
            {"p90_ms", milliseconds(statistics.p90)},
            {"p99_ms", milliseconds(statistics.p99)},
            {"p999_ms", milliseconds(statistics.p999)},
            {"longest_ms", milliseconds(statistics.longest)}};
  }

  Json loops(const std::vector<LoopStatistics>& all) const {
    Json list = Json::array();
    for (const LoopStatistics& statistics : all) list.push_back(loop(statistics));
    return list;
  }

  Json argument(const Argument& argument) const {
    if (argument.is_number) {
      if (const auto number = whole_number<int64_t>(argument.value)) return *number;
      if (const auto number = whole_number<uint64_t>(argument.value)) return *number;
    }
    return cut(argument.value);
  }

  Json call(const BlockedCall& call) const {
    Json arguments = Json::object();
    for (const Argument& one : call.arguments) {
      if (arguments.size() == kListEntries) break;
      arguments[cut(one.name)] = argument(one);
    }
    Json rendered = {{"function", cut(call.function)},
                     {"arguments", std::move(arguments)},
                     {"object", or_null(call.object)},
                     {"intercepted", call.intercepted}};
    if (call.owner_stack.empty()) return rendered;
    Json stack = Json::array();
    for (const Frame& one : call.owner_stack) {
      if (stack.size() == kListedFrames) break;
      stack.push_back(frame(one));
    }
    rendered["owner_stack"] = std::move(stack);
    return rendered;
  }

  Json lock(const Lock& lock) const {
    return {{"kind", word(lock.kind)},
            {"type", or_null(lock.type)},
            {"name", or_null(lock.name)},
            {"address", lock.address != 0 ? Json(offset(lock.address)) : Json(nullptr)},
            {"holders", or_null(lock.holders)}};
  }

  Json listed(const std::vector<Frame>& stack) const {
    Json list = Json::array();
    for (const Frame& one : stack) {
      if (list.size() == kListedFrames) break;
      list.push_back(frame(one));
    }
    return list;
  }

  Json owners(const std::vector<LockOwner>& owners) const {
    const Renderer brief(kListedStringBytes);
    Json list = Json::array();
    for (const LockOwner& owner : owners) {
      if (list.size() == kListedStacks) break;
      const size_t frames = std::min(owner.stack.size(), kListedFrames);
      list.push_back({{"pid", owner.pid},
                      {"tid", owner.tid > 0 ? Json(owner.tid) : Json(nullptr)},
                      {"process", or_null(owner.process)},
                      {"thread", or_null(owner.thread)},
                      {"state", word(owner.state)},
                      {"lock", lock(owner.lock)},
                      {"call", owner.call ? call(*owner.call) : Json(nullptr)},
                      {"culprit", owner.culprit < frames ? Json(owner.culprit) : Json(nullptr)},
                      {"complete", owner.stack_complete && frames == owner.stack.size()},
                      {"stack", brief.listed(owner.stack)}});
    }
    return list;
  }

  Json contributor(const ContributorShare& share) const {
    return {{"function", cut(share.function)},
            {"caller", frame(share.caller)},
            {"count", share.count},
            {"total_ms", milliseconds(share.total)},
            {"longest_ms", milliseconds(share.longest)}};
  }

  static Json spent(const TimeSpent& spent) {
    if (!spent.known) return nullptr;
    return {{"on_cpu_ms", milliseconds(spent.on_cpu)},
            {"runnable_ms", milliseconds(spent.runnable)},
            {"in_calls_ms", milliseconds(spent.in_calls)},
            {"major_faults", spent.major_faults},
            {"in_kernel_ms", milliseconds(spent.in_kernel)},
            {"blocked_ms", milliseconds(spent.blocked)},
            {"throttled_ms", milliseconds(spent.throttled)},
            {"in_faults_ms", milliseconds(spent.in_faults)}};
  }

  size_t string_bytes_;
};

// Bytes that the strings of a stack take when each is cut to kStringBytes and every byte needs an
// escape of six characters.
size_t longest_stack_text(const std::vector<Frame>& stack) {
  size_t bytes = 0;
  for (size_t i = 0; i < std::min(stack.size(), kStackFrames); ++i) {
    for (const std::string* text : {&stack[i].function, &stack[i].file, &stack[i].module}) {
      bytes += 6 * std::min(text->size(), kStringBytes);
    }
  }
  return bytes;
}

template <typename Value>
std::string line_of(const Value& value, size_t string_bytes) {
  // Targets name things in any bytes: those that are no UTF-8 become U+FFFD.
  return Renderer(string_bytes)(value).dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string json_line(const SessionStart& start) {
  return line_of(start, kStringBytes);
}

std::string json_line(const Stall& stall) {
  const bool too_long = longest_stack_text(stall.stack) > kStallLineBytes;
  return line_of(stall, too_long ? kShortStringBytes : kStringBytes);
}

std::string json_line(const Note& note) {
  return line_of(note, kStringBytes);
}

std::string json_line(const Hazard& hazard) {
  const bool too_long = longest_stack_text(hazard.longest.stack) > kStallLineBytes;
  return line_of(hazard, too_long ? kShortStringBytes : kStringBytes);
}

std::string json_line(const Deadlock& deadlock) {
  return line_of(deadlock, kStringBytes);
}

std::string json_line(const LockOrder& order) {
  return line_of(order, kListedStringBytes);
}

std::string json_line(const SessionStatus& status) {
  return line_of(status, kStringBytes);
}

std::string json_line(const SessionEnd& end) {
  return line_of(end, kStringBytes);
}

}  // namespace tailback
