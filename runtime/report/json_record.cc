#include "runtime/report/json_record.h"

#include <algorithm>

#include "runtime/report/assessment_record.h"
#include "runtime/report/json_pieces.h"
#include "runtime/report/never_awaited_record.h"
#include "runtime/report/note_text.h"
#include "runtime/report/race_record.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

constexpr size_t kShortStringBytes = 512;

// Renders values with every string cut to a number of bytes.
class Renderer : public JsonPieces {
 public:
  using JsonPieces::JsonPieces;

  Json operator()(const SessionStart& start) const {
    return {{"schema", kReportSchema},
            {"type", "session"},
            {"version", cut(start.version)},
            {"time", rfc3339(start.time)},
            {"command", texts(start.command)},
            {"pid", start.pid},
            {"observer_pid", start.observer_pid},
            {"host", cut(start.host)},
            {"threshold_ms", json_milliseconds(start.threshold)}};
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
            {"iteration", or_null(stall.iteration)},
            {"task", or_null(stall.task)},
            {"duration_ms", json_milliseconds(stall.duration)},
            {"threshold_ms", json_milliseconds(stall.threshold)},
            {"cause", word(stall.cause)},
            {"call", stall.call ? call(*stall.call) : Json(nullptr)},
            {"lock", stall.lock ? lock(*stall.lock) : Json(nullptr)},
            {"owners", owners(stall.owners)},
            {"stack", std::move(stack.stack)},
            {"stack_complete", stack.complete},
            {"culprit", stack.culprit},
            {"samples", stall.samples},
            {"stacks", Renderer(kListedStringBytes).stacks(stall.stacks)},
            {"pending_events", or_null(stall.pending_events)},
            {"contributors", std::move(contributors)},
            {"spent", spent(stall.spent)},
            {"notes", texts(stall.notes)},
            {"advice", cut(stall.advice)},
            {"fingerprint", cut(stall.fingerprint)}};
  }

  Json operator()(const BlockingCall& blocking_call) const {
    const Stall& longest = blocking_call.longest;
    Listed stack = listed(longest.stack, longest.culprit, longest.stack_complete, kStackFrames);
    return {{"schema", kReportSchema},
            {"type", "blocking-call"},
            {"kind", word(blocking_call.kind)},
            {"state", word(blocking_call.state)},
            {"count", blocking_call.count},
            {"total_ms", json_milliseconds(blocking_call.total)},
            {"longest_ms", json_milliseconds(longest.duration)},
            {"time", rfc3339(longest.begin)},
            {"last", rfc3339(blocking_call.last)},
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
            {"held_ms", json_milliseconds(deadlock.held)},
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
    return {{"schema", kReportSchema},           {"type", "lock-order"},
            {"time", rfc3339(order.time)},       {"pid", order.pid},
            {"process", or_null(order.process)}, {"locks", std::move(locks)},
            {"steps", std::move(steps)},         {"found_by", or_null(order.found_by)},
            {"advice", cut(order.advice)},       {"fingerprint", cut(order.fingerprint)}};
  }

  Json operator()(const Contention& contention) const {
    Json places = Json::array();
    for (const ContentionPlace& place : contention.places) {
      places.push_back({{"frame", frame(place.frame)},
                        {"waits", place.waits},
                        {"total_ms", json_milliseconds(place.total)},
                        {"longest_ms", json_milliseconds(place.longest)}});
    }
    const bool known = contention.hold_known;
    return {{"schema", kReportSchema},
            {"type", "contention"},
            {"pid", contention.pid},
            {"process", or_null(contention.process)},
            {"lock", lock(contention.lock)},
            {"waits", contention.waits},
            {"total_ms", json_milliseconds(contention.total)},
            {"longest_ms", json_milliseconds(contention.longest)},
            {"longest_hold_ms",
             known ? Json(json_milliseconds(contention.longest_hold)) : Json(nullptr)},
            {"longest_hold_at_least", contention.hold_is_part},
            {"places", std::move(places)},
            {"waiters", contention_stacks(contention.waiters)},
            {"owners", contention_stacks(contention.owners)}};
  }

  Json operator()(const SessionStatus& status) const {
    return {{"schema", kReportSchema},       {"type", "status"},
            {"time", rfc3339(status.time)},  {"duration_ms", json_milliseconds(status.duration)},
            {"stalls", status.stalls},       {"stalled_ms", json_milliseconds(status.stalled)},
            {"processes", status.processes}, {"threads", status.threads},
            {"loops", loops(status.loops)}};
  }

  Json operator()(const Note& note) const {
    const bool of_thread = note.pid != 0;
    return {{"schema", kReportSchema},
            {"type", "note"},
            {"kind", word(note.kind)},
            {"time", rfc3339(note.time)},
            {"duration_ms", json_milliseconds(note.length)},
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
      list.push_back({{"weight_ms", json_milliseconds(one.weight)},
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
                              {"stalls", use.matches}});
    }
    const Losses& losses = end.losses;
    const auto counts = [&](RecordKind kind) { return end.counts[kind]; };
    const Counts calls = counts(RecordKind::kBlockingCall);
    const Counts orders = counts(RecordKind::kLockOrder);
    const Counts coroutines = counts(RecordKind::kNeverAwaited);
    const Counts races = counts(RecordKind::kRace);
    return {
        {"schema", kReportSchema},
        {"type", "end"},
        {"time", rfc3339(end.time)},
        {"duration_ms", json_milliseconds(end.duration)},
        {"exit_status", or_null(end.exit_status)},
        {"signal", or_null(end.signal)},
        {"stalls", counts(RecordKind::kStall).reported},
        {"stalled_ms", json_milliseconds(end.stalled)},
        {"processes", end.processes},
        {"threads", end.threads},
        {"longest_hold_ms", json_milliseconds(end.longest_pause)},
        {"losses",
         {{"events", losses.events},
          {"threads", losses.threads},
          {"processes", losses.processes},
          {"programs", losses.programs},
          {"corrupt", losses.corrupt},
          {"samples", losses.samples}}},
        {"loops", loops(end.loops)},
        {"suppressed", counts(RecordKind::kStall).suppressed},
        {"suppressed_ms", json_milliseconds(end.suppressed_time)},
        {"suppressions", std::move(suppressions)},
        {"blocking_calls",
         {{"culprits", calls.reported},
          {"calls", calls.reported + calls.repeated},
          {"unseen", calls.lost},
          {"suppressed", calls.suppressed}}},
        {"deadlocks", counts(RecordKind::kDeadlock).reported},
        {"suppressed_deadlocks", counts(RecordKind::kDeadlock).suppressed},
        {"lock_orders",
         {{"cycles", orders.reported},
          {"repeated", orders.repeated},
          {"unsure", orders.lost},
          {"suppressed", orders.suppressed},
          {"lost_acquisitions", losses.lock_acquisitions},
          {"forgotten_programs", losses.lock_programs},
          {"lost_stacks", losses.lock_stacks}}},
        {"never_awaited",
         {{"told", coroutines.reported},
          {"repeated", coroutines.repeated},
          {"suppressed", coroutines.suppressed},
          {"unread", coroutines.lost}}},
        {"races",
         {{"told", races.reported},
          {"repeated", races.repeated},
          {"suppressed", races.suppressed},
          {"lost", races.lost}}},
        {"contention",
         {{"locks", counts(RecordKind::kContention).reported}, {"lost_waits", losses.lock_waits}}},
        {"unused_options", texts(end.unused_options)}};
  }
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
  return json_text(Renderer(string_bytes)(value));
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

std::string json_line(const BlockingCall& blocking_call) {
  const bool too_long = longest_stack_text(blocking_call.longest.stack) > kStallLineBytes;
  return line_of(blocking_call, too_long ? kShortStringBytes : kStringBytes);
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

std::string json_line(const Record& record) {
  return std::visit([](const auto& value) { return json_line(value); }, record);
}

}  // namespace tailback
