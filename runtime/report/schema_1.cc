#include "runtime/report/schema_1.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace tailback {
namespace {

using nlohmann::json;

struct Renamed {
  const char* old_name;
  const char* name;
};

// Keys that are renamed wherever they stand.
constexpr Renamed kKeys[] = {{"turn", "iteration"},
                             {"turns", "iterations"},
                             {"backlog", "pending_events"},
                             {"complete", "stack_complete"},
                             {"fault", "page_fault"}};

// Words of enumerations, by the key that they stand under.
struct RenamedWord {
  const char* key;
  const char* old_word;
  const char* word;
};
constexpr RenamedWord kWords[] = {
    {"cause", "starved", "run-queue-wait"},      {"cause", "fault", "page-fault"},
    {"kind", "may_block", "may-block"},          {"kind", "lost_owner", "lost-owner"},
    {"kind", "observer_late", "observer-late"},  {"kind", "after_loop", "after-loop"},
    {"limit", "sequential_io", "sequential-io"}, {"limit", "no_cpu", "no-cpu"},
    {"limit", "blocked_loop", "blocked-loop"},   {"present", "event_loop", "event-loop"},
    {"model", "event_loop", "event-loop"}};

void rename(json& object, const char* from, const char* to) {
  const auto it = object.find(from);
  if (it == object.end()) return;
  json value = std::move(*it);
  object.erase(it);
  object[to] = std::move(value);
}

// The record's nesting is bounded before.
void convert(json& value) {
  if (value.is_array()) {
    for (json& one : value) convert(one);
  }
  if (!value.is_object()) return;
  for (const Renamed& one : kKeys) rename(value, one.old_name, one.name);
  for (const RenamedWord& one : kWords) {
    const auto it = value.find(one.key);
    if (it != value.end() && *it == one.old_word) *it = one.word;
  }
  for (auto& [key, member] : value.items()) {
    if (key != "arguments") convert(member);  // their names are the target's
  }
}

// What was a list of sentences is a list of limits.
void convert_notes(json& record) {
  const auto notes = record.find("notes");
  if (notes == record.end() || !notes->is_array()) return;
  json limits = json::array();
  for (const json& note : *notes) limits.push_back({{"kind", "other"}, {"reason", note}});
  record.erase(notes);
  record["limits"] = std::move(limits);
}

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

// Counts and losses stood in objects of their own for each kind, under other names.
void convert_end(json& end) {
  struct Count {
    const char* object;  // null: in the record itself
    const char* old_name;
    const char* kind;  // null: a loss
    const char* name;
  };
  constexpr Count kCounts[] = {{nullptr, "stalls", "stall", "reported"},
                               {nullptr, "suppressed", "stall", "suppressed"},
                               {nullptr, "deadlocks", "deadlock", "reported"},
                               {nullptr, "suppressed_deadlocks", "deadlock", "suppressed"},
                               {"hazards", "culprits", "blocking_call", "reported"},
                               {"hazards", "unseen", "blocking_call", "lost"},
                               {"hazards", "suppressed", "blocking_call", "suppressed"},
                               {"lock_orders", "cycles", "lock_order", "reported"},
                               {"lock_orders", "repeated", "lock_order", "repeated"},
                               {"lock_orders", "unsure", "lock_order", "lost"},
                               {"lock_orders", "suppressed", "lock_order", "suppressed"},
                               {"lock_orders", "lost_acquisitions", nullptr, "lock_acquisitions"},
                               {"lock_orders", "forgotten_programs", nullptr, "lock_programs"},
                               {"lock_orders", "lost_stacks", nullptr, "lock_stacks"},
                               {"races", "told", "race", "reported"},
                               {"races", "repeated", "race", "repeated"},
                               {"races", "suppressed", "race", "suppressed"},
                               {"races", "lost", "race", "lost"},
                               {"never_awaited", "told", "never_awaited", "reported"},
                               {"never_awaited", "repeated", "never_awaited", "repeated"},
                               {"never_awaited", "suppressed", "never_awaited", "suppressed"},
                               {"never_awaited", "unread", "never_awaited", "lost"},
                               {"contention", "locks", "contention", "reported"},
                               {"contention", "lost_waits", nullptr, "lock_waits"}};
  json counts = json::object();
  json losses = json::object();
  if (const json* const old = member(end, "losses"); old && old->is_object()) losses = *old;
  for (const Count& one : kCounts) {
    const json* const object = one.object == nullptr ? &end : member(end, one.object);
    const json* const value = object == nullptr ? nullptr : member(*object, one.old_name);
    if (value == nullptr) continue;
    (one.kind == nullptr ? losses : counts[one.kind])[one.name] = *value;
  }
  // All calls of the culprits that were reported.
  if (const json* const calls = member(end, "hazards")) {
    const json* const all = member(*calls, "calls");
    const json* const culprits = member(*calls, "culprits");
    if (all && culprits && all->is_number_unsigned() && culprits->is_number_unsigned()) {
      const auto sum = all->get<uint64_t>();
      const auto first = culprits->get<uint64_t>();
      counts["blocking_call"]["repeated"] = sum < first ? 0 : sum - first;
    }
  }
  for (const Count& one : kCounts) end.erase(one.object == nullptr ? one.old_name : one.object);
  end["counts"] = std::move(counts);
  end["losses"] = std::move(losses);
  rename(end, "longest_hold_ms", "longest_pause_ms");
  const auto rules = end.find("suppressions");
  if (rules == end.end() || !rules->is_array()) return;
  for (json& rule : *rules) {
    if (rule.is_object()) rename(rule, "stalls", "matches");
  }
}

}  // namespace

json from_schema_1(json record) {
  convert(record);
  convert_notes(record);
  const json& type = record["type"];
  if (type == "hazard") record["type"] = "blocking-call";
  if (type == "deadlock") rename(record, "held_ms", "lasted_ms");
  if (type == "end") convert_end(record);
  record["schema"] = 2;
  return record;
}

}  // namespace tailback
