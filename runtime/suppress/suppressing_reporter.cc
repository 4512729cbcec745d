#include "runtime/suppress/suppressing_reporter.h"

#include <algorithm>
#include <utility>

#include "runtime/report/duration_text.h"

namespace tailback {
namespace {

// How much a record adds to the counts of its kind.
uint64_t weight_of(const Record& record) {
  const auto* const call = std::get_if<BlockingCall>(&record);
  return call == nullptr ? 1 : call->count;
}

size_t index_of(RecordKind kind) {
  return static_cast<size_t>(kind);
}

}  // namespace

SuppressingReporter::SuppressingReporter(std::vector<Rule> rules, Reporter& behind)
    : behind_(behind), rules_(std::move(rules)), uses_(rules_.size()) {}

uint64_t SuppressingReporter::reported(std::string_view fail_on) const {
  uint64_t sum = 0;
  for (const RecordKindRow& row : kRecordKinds) {
    if (row.fail_on == fail_on) sum += reported_[index_of(row.kind)].load();
  }
  return sum;
}

bool SuppressingReporter::is_known(const Record& record, bool counts) {
  bool known = false;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].matches(record)) continue;
    known = true;
    if (counts) ++uses_[i];
  }
  return known;
}

bool SuppressingReporter::passes(const Record& record) {
  const auto* const stall = std::get_if<Stall>(&record);
  const bool final = stall == nullptr || stall->state != StallState::kOngoing;
  const bool reported_before = stall != nullptr && reported_and_open_.contains(stall->id);
  if (!reported_before && is_known(record, final)) {
    if (!final) return false;
    suppressed_[counted_kind_of(record)].suppressed += weight_of(record);
    if (stall != nullptr) suppressed_time_ = saturating_sum(suppressed_time_, stall->duration);
    return false;
  }
  if (!reported_before) {
    const RecordKind kind = kind_of(record);
    const RecordKind counted = counted_kind_of(record);
    reported_[index_of(kind)] += weight_of(record);
    if (counted != kind) reported_[index_of(counted)] += weight_of(record);
  }
  if (stall == nullptr) return true;
  if (final) {
    reported_and_open_.erase(stall->id);
  } else {
    reported_and_open_.insert(stall->id);
  }
  return true;
}

void SuppressingReporter::report(const Record& record) {
  if (const auto* const end = std::get_if<SessionEnd>(&record)) {
    report_end(*end);
  } else if (!row_of(kind_of(record)).suppressible || passes(record)) {
    behind_.report(record);
  }
}

void SuppressingReporter::report_end(SessionEnd end) {
  for (const RecordKindRow& row : kRecordKinds) {
    const uint64_t suppressed = suppressed_[row.kind].suppressed;
    Counts& counts = end.counts[row.kind];
    counts.suppressed = suppressed;
    counts.reported -= std::min(counts.reported, suppressed);
  }
  end.stalled -= std::min(end.stalled, suppressed_time_);
  end.suppressed_time = suppressed_time_;
  for (size_t i = 0; i < rules_.size(); ++i) {
    end.suppressions.push_back({rules_[i].file, rules_[i].line, rules_[i].text, uses_[i]});
  }
  behind_.report(end);
}

}  // namespace tailback
