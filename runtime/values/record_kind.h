// The kinds of records that a session makes, and what every stage needs to know of each: one row of
// one table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailback {

// In the order of Record's alternatives.
enum class RecordKind {
  kSession,
  kStall,
  kBlockingCall,
  kDeadlock,
  kLockOrder,
  kContention,
  kRace,
  kNeverAwaited,
  kNote,
  kStatus,
  kAssessment,
  kEnd,
};

struct RecordKindRow {
  RecordKind kind;
  std::string_view word;  // in recordings: the record's type
  std::string_view one;   // for people
  std::string_view many;
  std::string_view fail_on;  // what --fail-on calls it; empty: a command can't fail on it
  bool suppressible;         // a rule of a suppressions file can match it
  bool counted;              // the end record has its counts
  size_t cap;                // a summary tells apart no more of it; 0: no such bound
};

inline constexpr std::array kRecordKinds = {
    RecordKindRow{RecordKind::kSession, "session", "session", "sessions", "", false, false, 0},
    RecordKindRow{RecordKind::kStall, "stall", "stall", "stalls", "stall", true, true, 4096},
    RecordKindRow{RecordKind::kBlockingCall, "blocking-call", "blocking call", "blocking calls",
                  "blocking-call", true, true, 1024},
    RecordKindRow{RecordKind::kDeadlock, "deadlock", "deadlock", "deadlocks", "deadlock", true,
                  true, 4096},
    RecordKindRow{RecordKind::kLockOrder, "lock-order", "lock-order inversion",
                  "lock-order inversions", "deadlock", true, true, 1000},
    RecordKindRow{RecordKind::kContention, "contention", "contended lock", "contended locks", "",
                  false, true, 10000},
    RecordKindRow{RecordKind::kRace, "race", "finding of ThreadSanitizer",
                  "findings of ThreadSanitizer", "race", true, true, 1000},
    RecordKindRow{RecordKind::kNeverAwaited, "never-awaited", "coroutine that is never awaited",
                  "coroutines that are never awaited", "never-awaited", true, true, 1000},
    RecordKindRow{RecordKind::kNote, "note", "note", "notes", "", false, false, 0},
    RecordKindRow{RecordKind::kStatus, "status", "status", "statuses", "", false, false, 0},
    RecordKindRow{RecordKind::kAssessment, "assessment", "assessment", "assessments", "", false,
                  false, 100},
    RecordKindRow{RecordKind::kEnd, "end", "end", "ends", "", false, false, 0},
};

constexpr const RecordKindRow& row_of(RecordKind kind) {
  return kRecordKinds[static_cast<size_t>(kind)];
}

// What a session has seen of one kind.
struct Counts {
  uint64_t reported = 0;    // written, each once
  uint64_t repeated = 0;    // like one that was reported, and only counted
  uint64_t suppressed = 0;  // matched by rules, and not written
  uint64_t lost = 0;        // not written for want of room, or because they were not certain

  bool any() const { return (reported | repeated | suppressed | lost) != 0; }
};

class KindCounts {
 public:
  Counts& operator[](RecordKind kind) { return counts_[static_cast<size_t>(kind)]; }
  const Counts& operator[](RecordKind kind) const { return counts_[static_cast<size_t>(kind)]; }

 private:
  std::array<Counts, kRecordKinds.size()> counts_{};
};

}  // namespace tailback
