#include "runtime/report/record_parser.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "runtime/report/assessment_record.h"
#include "runtime/report/json_record.h"
#include "runtime/report/never_awaited_record.h"
#include "runtime/report/race_record.h"
#include "runtime/report/record_fields.h"
#include "runtime/report/record_pieces.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

using nlohmann::json;

constexpr int kDeepestNesting = 16;  // a record needs 4

// A value nested a million deep costs far more memory than its text.
bool nested_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

ContributorShare contributor_of(const json& value) {
  const Fields fields(value);
  ContributorShare share;
  share.function = fields.text("function");
  share.caller = frame_of(fields.need("caller"));
  share.count = fields.number<uint64_t>("count");
  share.total = fields.duration("total_ms");
  share.longest = fields.duration("longest_ms");
  return share;
}

SampledStack sampled_of(const json& value) {
  const Fields fields(value);
  SampledStack sampled;
  read_stack(fields, "complete", sampled.stack, sampled.culprit, sampled.complete);
  sampled.call = fields.text("call");
  sampled.samples = fields.number<unsigned>("samples");
  sampled.weight = fields.duration("weight_ms");
  return sampled;
}

TimeSpent spent_of(const json& value) {
  const Fields fields(value);
  TimeSpent spent;
  spent.known = true;
  spent.on_cpu = fields.duration("on_cpu_ms");
  spent.runnable = fields.duration("runnable_ms");
  spent.in_calls = fields.duration("in_calls_ms");
  spent.major_faults = fields.number<uint64_t>("major_faults");
  spent.in_kernel = fields.duration("in_kernel_ms");
  spent.blocked = fields.duration("blocked_ms");
  spent.throttled = fields.duration("throttled_ms");
  spent.in_faults = fields.duration("in_faults_ms");
  return spent;
}

SessionStart session_of(const Fields& fields) {
  SessionStart start;
  start.version = fields.text("version");
  start.time = fields.time("time");
  start.command = fields.texts("command");
  start.pid = fields.number<int>("pid");
  start.observer_pid = fields.number<int>("observer_pid");
  start.host = fields.text("host");
  start.threshold = fields.duration("threshold_ms");
  return start;
}

// What a stall and a blocking call have in common.
Stall where_of(const Fields& fields) {
  Stall stall;
  stall.begin = fields.time("time");
  read_thread(fields, stall);
  stall.loop = loop_of(fields.need("loop"));
  stall.iteration = fields.text("iteration");
  stall.cause = fields.word_of<Cause>("cause", kCauseWords);
  if (const json* const call = fields.find("call")) stall.call = call_of(*call);
  if (const json* const lock = fields.find("lock")) stall.lock = lock_of(*lock);
  for (const json& owner : fields.list("owners")) stall.owners.push_back(owner_of(owner));
  stall.task = fields.text("task");
  read_stack(fields, "stack_complete", stall.stack, stall.culprit, stall.stack_complete);
  stall.advice = fields.text("advice");
  stall.fingerprint = fields.text("fingerprint");
  return stall;
}

Stall stall_of(const Fields& fields) {
  fields.need("id");
  const auto state = fields.word_of<StallState>("state", kStallStateWords);
  Stall stall = where_of(fields);
  stall.id = fields.number<uint64_t>("id");
  stall.state = state;
  fields.need("duration_ms");
  stall.duration = fields.duration("duration_ms");
  stall.threshold = fields.duration("threshold_ms");
  stall.samples = fields.number<unsigned>("samples");
  for (const json& sampled : fields.list("stacks")) stall.stacks.push_back(sampled_of(sampled));
  stall.pending_events = fields.integer<uint64_t>("pending_events");
  for (const json& share : fields.list("contributors")) {
    stall.contributors.push_back(contributor_of(share));
  }
  if (const json* const spent = fields.find("spent")) stall.spent = spent_of(*spent);
  stall.notes = fields.texts("notes");
  return stall;
}

BlockingCall blocking_call_of(const Fields& fields) {
  BlockingCall blocking_call;
  blocking_call.kind = fields.word_of<BlockingCallKind>("kind", kBlockingCallKindWords);
  blocking_call.state = fields.word_of<BlockingCallState>("state", kBlockingCallStateWords);
  fields.need("count");
  blocking_call.count = fields.number<uint64_t>("count");
  blocking_call.total = fields.duration("total_ms");
  blocking_call.last = fields.time("last");
  blocking_call.longest = where_of(fields);
  blocking_call.longest.duration = fields.duration("longest_ms");
  return blocking_call;
}

DeadlockedThread deadlocked_of(const json& value) {
  const Fields fields(value);
  DeadlockedThread thread;
  read_thread(fields, thread);
  thread.in_cycle = fields.flag("in_cycle", true);
  thread.call = call_of(fields.need("call"));
  thread.wants = lock_of(fields.need("wants"));
  for (const json& lock : fields.list("holds")) thread.holds.push_back(lock_of(lock));
  read_stack(fields, "complete", thread.stack, thread.culprit, thread.stack_complete);
  return thread;
}

Deadlock deadlock_of(const Fields& fields) {
  Deadlock deadlock;
  fields.need("id");
  deadlock.id = fields.number<uint64_t>("id");
  deadlock.kind = fields.word_of<DeadlockKind>("kind", kDeadlockKindWords);
  deadlock.time = fields.time("time");
  deadlock.held = fields.duration("held_ms");
  for (const json& value : fields.list("threads")) {
    deadlock.threads.push_back(deadlocked_of(value));
  }
  for (size_t i = 0; i < deadlock.threads.size(); ++i) {
    const Fields thread(fields.list("threads")[i]);
    for (const json& index : thread.list("waits_for")) {
      const bool is_index =
          index.is_number_unsigned() && index.get<uint64_t>() < deadlock.threads.size();
      if (!is_index) malformed("waits_for", "a list of indexes into 'threads'");
      deadlock.threads[i].waits_for.push_back(index.get<size_t>());
    }
  }
  deadlock.more_blocked = fields.number<uint64_t>("more_blocked");
  deadlock.notes = fields.texts("notes");
  deadlock.advice = fields.text("advice");
  deadlock.fingerprint = fields.text("fingerprint");
  return deadlock;
}

OrderedLock ordered_lock_of(const json& value) {
  const Fields fields(value);
  OrderedLock lock;
  lock.address = fields.address("address");
  lock.kind = fields.text("kind");
  lock.name = fields.text("name");
  if (const json* const place = fields.find("initialised")) lock.initialised = frame_of(*place);
  return lock;
}

LockStep lock_step_of(const json& value, size_t locks) {
  const Fields fields(value);
  LockStep step;
  step.tid = fields.number<int>("tid");
  step.thread = fields.text("thread");
  step.held = fields.number<size_t>("held");
  step.taken = fields.number<size_t>("taken");
  if (step.held >= locks || step.taken >= locks) malformed("held", "the number of a lock");
  step.held_for = fields.text("held_for");
  step.taken_for = fields.text("taken_for");
  if (const json* const place = fields.find("held_at")) step.held_at = frame_of(*place);
  read_stack(fields, "stack_complete", step.stack, step.culprit, step.stack_complete);
  return step;
}

LockOrder lock_order_of(const Fields& fields) {
  LockOrder order;
  order.time = fields.time("time");
  order.pid = fields.number<int>("pid");
  order.process = fields.text("process");
  for (const json& lock : fields.list("locks")) order.locks.push_back(ordered_lock_of(lock));
  for (const json& step : fields.list("steps")) {
    order.steps.push_back(lock_step_of(step, order.locks.size()));
  }
  order.found_by = fields.text("found_by");
  order.advice = fields.text("advice");
  order.fingerprint = fields.text("fingerprint");
  return order;
}

std::vector<ContentionStack> contention_stacks_of(const json& list) {
  std::vector<ContentionStack> stacks;
  for (const json& value : list) {
    const SampledStack sampled = sampled_of(value);
    stacks.push_back({sampled.stack, sampled.culprit, sampled.complete, sampled.call,
                      sampled.samples, sampled.weight});
  }
  return stacks;
}

Contention contention_of(const Fields& fields) {
  Contention contention;
  contention.pid = fields.number<int>("pid");
  contention.process = fields.text("process");
  contention.lock = ordered_lock_of(fields.need("lock"));
  contention.waits = fields.number<uint64_t>("waits");
  contention.total = fields.duration("total_ms");
  contention.longest = fields.duration("longest_ms");
  contention.hold_known = fields.find("longest_hold_ms") != nullptr;
  if (contention.hold_known) contention.longest_hold = fields.duration("longest_hold_ms");
  contention.hold_is_part = fields.flag("longest_hold_at_least", false);
  for (const json& value : fields.list("places")) {
    const Fields place(value);
    contention.places.push_back({frame_of(place.need("frame")), place.number<uint64_t>("waits"),
                                 place.duration("total_ms"), place.duration("longest_ms")});
  }
  contention.waiters = contention_stacks_of(fields.list("waiters"));
  contention.owners = contention_stacks_of(fields.list("owners"));
  return contention;
}

Note note_of(const Fields& fields) {
  Note note;
  note.kind = fields.word_of<NoteKind>("kind", kNoteKindWords);
  note.time = fields.time("time");
  note.length = fields.duration("duration_ms");
  read_thread(fields, note);
  return note;
}

LoopStatistics statistics_of(const json& value) {
  const Fields fields(value);
  LoopStatistics statistics;
  read_thread(fields, statistics);
  statistics.loop = loop_of(fields.need("loop"));
  statistics.iterations = fields.number<uint64_t>("iterations");
  statistics.busy = fields.duration("busy_ms");
  statistics.lifetime = fields.duration("lifetime_ms");
  statistics.p50 = fields.duration("p50_ms");
  statistics.p90 = fields.duration("p90_ms");
  statistics.p99 = fields.duration("p99_ms");
  statistics.p999 = fields.duration("p999_ms");
  statistics.longest = fields.duration("longest_ms");
  return statistics;
}

SessionStatus status_of(const Fields& fields) {
  SessionStatus status;
  status.time = fields.time("time");
  status.duration = fields.duration("duration_ms");
  status.stalls = fields.number<uint64_t>("stalls");
  status.stalled = fields.duration("stalled_ms");
  status.processes = fields.number<uint64_t>("processes");
  status.threads = fields.number<uint64_t>("threads");
  for (const json& loop : fields.list("loops")) status.loops.push_back(statistics_of(loop));
  return status;
}

SuppressionUse suppression_of(const json& value) {
  const Fields fields(value);
  return {fields.text("file"), fields.number<unsigned>("line"), fields.text("rule"),
          fields.number<uint64_t>("stalls")};
}

SessionEnd end_of(const Fields& fields) {
  SessionEnd end;
  end.time = fields.time("time");
  end.duration = fields.duration("duration_ms");
  end.exit_status = fields.integer<int>("exit_status");
  end.signal = fields.integer<int>("signal");
  end.counts[RecordKind::kStall].reported = fields.number<uint64_t>("stalls");
  end.stalled = fields.duration("stalled_ms");
  end.processes = fields.number<uint64_t>("processes");
  end.threads = fields.number<uint64_t>("threads");
  end.longest_pause = fields.duration("longest_hold_ms");
  if (const json* const losses = fields.find("losses")) {
    const Fields lost(*losses);
    end.losses.events = lost.number<uint64_t>("events");
    end.losses.threads = lost.number<uint64_t>("threads");
    end.losses.processes = lost.number<uint64_t>("processes");
    end.losses.programs = lost.number<uint64_t>("programs");
    end.losses.corrupt = lost.number<uint64_t>("corrupt");
    end.losses.samples = lost.number<uint64_t>("samples");
  }
  for (const json& loop : fields.list("loops")) end.loops.push_back(statistics_of(loop));
  end.counts[RecordKind::kStall].suppressed = fields.number<uint64_t>("suppressed");
  end.suppressed_time = fields.duration("suppressed_ms");
  for (const json& use : fields.list("suppressions")) {
    end.suppressions.push_back(suppression_of(use));
  }
  if (const json* const calls = fields.find("blocking_calls")) {
    const Fields recorded(*calls);
    Counts& counts = end.counts[RecordKind::kBlockingCall];
    counts.reported = recorded.number<uint64_t>("culprits");
    counts.repeated = recorded.number<uint64_t>("calls") - counts.reported;
    counts.lost = recorded.number<uint64_t>("unseen");
    counts.suppressed = recorded.number<uint64_t>("suppressed");
  }
  end.counts[RecordKind::kDeadlock].reported = fields.number<uint64_t>("deadlocks");
  end.counts[RecordKind::kDeadlock].suppressed = fields.number<uint64_t>("suppressed_deadlocks");
  if (const json* const value = fields.find("contention")) {
    const Fields recorded(*value);
    end.counts[RecordKind::kContention].reported = recorded.number<uint64_t>("locks");
    end.losses.lock_waits = recorded.number<uint64_t>("lost_waits");
  }
  if (const json* const orders = fields.find("lock_orders")) {
    const Fields recorded(*orders);
    Counts& counts = end.counts[RecordKind::kLockOrder];
    counts.reported = recorded.number<uint64_t>("cycles");
    counts.repeated = recorded.number<uint64_t>("repeated");
    counts.lost = recorded.number<uint64_t>("unsure");
    counts.suppressed = recorded.number<uint64_t>("suppressed");
    end.losses.lock_acquisitions = recorded.number<uint64_t>("lost_acquisitions");
    end.losses.lock_programs = recorded.number<uint64_t>("forgotten_programs");
    end.losses.lock_stacks = recorded.number<uint64_t>("lost_stacks");
  }
  if (const json* const found = fields.find("never_awaited")) {
    const Fields recorded(*found);
    Counts& counts = end.counts[RecordKind::kNeverAwaited];
    counts.reported = recorded.number<uint64_t>("told");
    counts.repeated = recorded.number<uint64_t>("repeated");
    counts.suppressed = recorded.number<uint64_t>("suppressed");
    counts.lost = recorded.number<uint64_t>("unread");
  }
  if (const json* const races = fields.find("races")) {
    const Fields recorded(*races);
    Counts& counts = end.counts[RecordKind::kRace];
    counts.reported = recorded.number<uint64_t>("told");
    counts.repeated = recorded.number<uint64_t>("repeated");
    counts.suppressed = recorded.number<uint64_t>("suppressed");
    counts.lost = recorded.number<uint64_t>("lost");
  }
  end.unused_options = fields.texts("unused_options");
  return end;
}

}  // namespace

Record parse_record(std::string_view line) {
  if (nested_too_deep(line)) throw MalformedRecord("nested too deep for a record");
  const json value = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) throw MalformedRecord("not JSON");
  if (!value.is_object()) throw MalformedRecord("not a JSON object");

  const Fields fields(value);
  const json& schema = fields.need("schema");
  const json& type = fields.need("type");
  if (!schema.is_number_integer()) malformed("schema", "a whole number");
  if (!type.is_string()) malformed("type", "a string");
  if (schema != kReportSchema) throw UnknownSchema(schema.dump());

  const auto& name = type.get_ref<const std::string&>();
  if (name == "session") return session_of(fields);
  if (name == "stall") return stall_of(fields);
  if (name == "note") return note_of(fields);
  if (name == "blocking-call") return blocking_call_of(fields);
  if (name == "deadlock") return deadlock_of(fields);
  if (name == "lock-order") return lock_order_of(fields);
  if (name == "contention") return contention_of(fields);
  if (name == "assessment") return assessment_of(fields);
  if (name == "status") return status_of(fields);
  if (name == "end") return end_of(fields);
  if (name == "never-awaited") return never_awaited_of(fields);
  if (const auto race = race_type_of(name)) return race_of(*race, fields);
  throw UnknownType(std::string(utf8_prefix(name, 64)));
}

}  // namespace tailback
