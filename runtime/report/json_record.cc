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
    return {{"schema", kReportSchema},
            {"type", "session"},
            {"version", cut(start.version)},
            {"time", rfc3339(start.time)},
            {"command", texts(start.command)},
            {"pid", start.pid},
            {"observer_pid", start.observer_pid},
            {"host", cut(start.host)},
            {"threshold_ms", milliseconds(start.threshold)}};
  }

  Json operator()(const Stall& stall) const {
    Listed stack = listed(stall.stack, stall.culprit, stall.stack_complete, kStackFrames);
    Json contributors = Json::array();
    const size_t shares = std::min(stall.contributors.size(), kListEntries);
    for (size_t i = 0; i < shares; ++i) contributors.push_back(contributor(stall.contributors[i]));
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
            {"stack", std::move(stack.stack)},
            {"stack_complete", stack.complete},
            {"culprit", stack.culprit},
            {"samples", stall.samples},
            {"stacks", Renderer(kListedStringBytes).stacks(stall.stacks)},
            {"backlog", or_null(stall.backlog)},
            {"contributors", std::move(contributors)},
            {"spent", spent(stall.spent)},
            {"notes", texts(stall.notes)},
            {"advice", cut(stall.advice)},
            {"fingerprint", cut(stall.fingerprint)}};
  }

  Json operator()(const Hazard& hazard) const {
    const Stall& longest = hazard.longest;
    Listed stack = listed(longest.stack, longest.culprit, longest.stack_complete, kStackFrames);
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
            {"stack", std::move(stack.stack)},
            {"stack_complete", stack.complete},
            {"culprit", stack.culprit},
            {"advice", cut(longest.advice)},
            {"fingerprint", cut(longest.fingerprint)}};
  }

  Json operator()(const Deadlock& deadlock) const {
    const Renderer brief(kListedStringBytes);
    Json threads = Json::array();
    for (const DeadlockedThread& thread : deadlock.threads) {
      if (threads.size() == kListEntries) break;
      Listed stack = brief.listed(thread.stack, thread.culprit, thread.stack_complete);
      Json holds = Json::array();
      for (const Lock& one : thread.holds) holds.push_back(lock(one));
      threads.push_back({{"pid", thread.pid},
                         {"tid", thread.tid},
                         {"process", cut(thread.process)},
                         {"thread", cut(thread.thread)},
                         {"in_cycle", thread.in_cycle},
                         {"call", call(thread.call)},
                         {"wants", lock(thread.wants)},
                         {"holds", std::move(holds)},
                         {"waits_for", thread.waits_for},
                         {"culprit", stack.culprit},
                         {"complete", stack.complete},
                         {"stack", std::move(stack.stack)}});
    }
    return {{"schema", kReportSchema},
            {"type", "deadlock"},
            {"id", deadlock.id},
            {"kind", word(deadlock.kind)},
            {"time", rfc3339(deadlock.time)},
            {"held_ms", milliseconds(deadlock.held)},
            {"threads", std::move(threads)},
            {"more_blocked", deadlock.more_blocked},
            {"notes", texts(deadlock.notes)},
            {"advice", cut(deadlock.advice)},
            {"fingerprint", cut(deadlock.fingerprint)}};
  }

  Json operator()(const LockOrder& order) const {
    Json locks = Json::array();
    for (const OrderedLock& one : order.locks) locks.push_back(lock(one));
    Json steps = Json::array();
    for (const LockStep& step : order.steps) {
      Listed stack = listed(step.stack, step.culprit, step.stack_complete);
      steps.push_back({{"tid", step.tid},
                       {"thread", or_null(step.thread)},
                       {"held", step.held},
                       {"held_for", cut(step.held_for)},
                       {"held_at", frame(step.held_at)},
                       {"taken", step.taken},
                       {"taken_for", cut(step.taken_for)},
                       {"stack", std::move(stack.stack)},
                       {"stack_complete", stack.complete},
                       {"culprit", stack.culprit}});
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

  Json operator()(const Contention& contention) const {
    Json places = Json::array();
    for (const ContentionPlace& place : contention.places) {
      places.push_back({{"frame", frame(place.frame)},
                        {"waits", place.waits},
                        {"total_ms", milliseconds(place.total)},
                        {"longest_ms", milliseconds(place.longest)}});
    }
    const bool known = contention.hold_known;
    return {
        {"schema", kReportSchema},
        {"type", "contention"},
        {"pid", contention.pid},
        {"process", or_null(contention.process)},
        {"lock", lock(contention.lock)},
        {"waits", contention.waits},
        {"total_ms", milliseconds(contention.total)},
        {"longest_ms", milliseconds(contention.longest)},
        {"longest_hold_ms", known ? Json(milliseconds(contention.longest_hold)) : Json(nullptr)},
        {"longest_hold_at_least", contention.hold_is_part},
        {"places", std::move(places)},
        {"waiters", contention_stacks(contention.waiters)},
        {"owners", contention_stacks(contention.owners)}};
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
      Listed stack = listed(one.stack, one.culprit, one.complete);
      list.push_back({{"weight_ms", milliseconds(one.weight)},
                      {"samples", one.samples},
                      {"call", or_null(one.call)},
                      {"culprit", stack.culprit},
                      {"complete", stack.complete},
                      {"stack", std::move(stack.stack)}});
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
            {"contention",
             {{"locks", end.contention.locks}, {"lost_waits", end.contention.lost_waits}}},
            {"unused_options", texts(end.unused_options)}};
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

  Json lock(const OrderedLock& lock) const {
    const bool known = !lock.initialised.function.empty() || !lock.initialised.module.empty();
    return {{"address", offset(lock.address)},
            {"kind", cut(lock.kind)},
            {"name", or_null(lock.name)},
            {"initialised", known ? frame(lock.initialised) : Json(nullptr)}};
  }

  Json contention_stacks(const std::vector<ContentionStack>& all) const {
    Json list = Json::array();
    for (const ContentionStack& one : all) {
      Listed stack = listed(one.stack, one.culprit, one.complete);
      list.push_back({{"stack", std::move(stack.stack)},
                      {"culprit", stack.culprit},
                      {"complete", stack.complete},
                      {"call", or_null(one.call)},
                      {"samples", one.samples},
                      {"weight_ms", milliseconds(one.weight)}});
    }
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
    rendered["owner_stack"] = listed(call.owner_stack, 0, true).stack;
    return rendered;
  }

  Json lock(const Lock& lock) const {
    return {{"kind", word(lock.kind)},
            {"type", or_null(lock.type)},
            {"name", or_null(lock.name)},
            {"address", lock.address != 0 ? Json(offset(lock.address)) : Json(nullptr)},
            {"holders", or_null(lock.holders)}};
  }

  Json texts(const std::vector<std::string>& all) const {
    Json list = Json::array();
    for (size_t i = 0; i < std::min(all.size(), kListEntries); ++i) list.push_back(cut(all[i]));
    return list;
  }

  // A stack as far as it is listed, the place of its culprit there, and whether it is whole.
  struct Listed {
    Json stack = Json::array();
    Json culprit;
    bool complete;
  };
  Listed listed(const std::vector<Frame>& stack, size_t culprit, bool complete,
                size_t most = kListedFrames) const {
    const size_t frames = std::min(stack.size(), most);
    Listed list;
    for (size_t i = 0; i < frames; ++i) list.stack.push_back(frame(stack[i]));
    list.culprit = culprit < frames ? Json(culprit) : Json(nullptr);
    list.complete = complete && frames == stack.size();
    return list;
  }

  Json owners(const std::vector<LockOwner>& owners) const {
    const Renderer brief(kListedStringBytes);
    Json list = Json::array();
    for (const LockOwner& owner : owners) {
      if (list.size() == kListedStacks) break;
      Listed stack = brief.listed(owner.stack, owner.culprit, owner.stack_complete);
      list.push_back({{"pid", owner.pid},
                      {"tid", owner.tid > 0 ? Json(owner.tid) : Json(nullptr)},
                      {"process", or_null(owner.process)},
                      {"thread", or_null(owner.thread)},
                      {"state", word(owner.state)},
                      {"lock", lock(owner.lock)},
                      {"call", owner.call ? call(*owner.call) : Json(nullptr)},
                      {"culprit", stack.culprit},
                      {"complete", stack.complete},
                      {"stack", std::move(stack.stack)}});
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

std::string json_line(const Contention& contention) {
  return line_of(contention, kListedStringBytes);
}

std::string json_line(const SessionStatus& status) {
  return line_of(status, kStringBytes);
}

std::string json_line(const SessionEnd& end) {
  return line_of(end, kStringBytes);
}

}  // namespace tailback
