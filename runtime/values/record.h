// Everything that a session can report: one variant that every stage after the analysis takes.
#pragma once

#include <string_view>
#include <variant>

#include "runtime/values/assessment.h"
#include "runtime/values/blocking_call.h"
#include "runtime/values/contention.h"
#include "runtime/values/deadlock.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/never_awaited.h"
#include "runtime/values/note.h"
#include "runtime/values/race.h"
#include "runtime/values/record_kind.h"
#include "runtime/values/session.h"
#include "runtime/values/stall.h"

namespace tailback {

using Record = std::variant<SessionStart, Stall, BlockingCall, Deadlock, LockOrder, Contention,
                            Race, NeverAwaited, Note, SessionStatus, Assessment, SessionEnd>;

static_assert(std::variant_size_v<Record> == kRecordKinds.size());
static_assert([] {
  for (size_t i = 0; i < kRecordKinds.size(); ++i) {
    if (kRecordKinds[i].kind != static_cast<RecordKind>(i)) return false;
  }
  return true;
}());

inline RecordKind kind_of(const Record& record) {
  return static_cast<RecordKind>(record.index());
}

// The kind whose counts it is part of. A lock-order inversion that ThreadSanitizer has found is one
// of its findings.
inline RecordKind counted_kind_of(const Record& record) {
  const auto* const order = std::get_if<LockOrder>(&record);
  return order != nullptr && !order->found_by.empty() ? RecordKind::kRace : kind_of(record);
}

// When it was found or noticed; a stall's and a blocking call's begin with the iteration or call.
inline WallTime time_of(const Record& record) {
  return std::visit(
      [](const auto& value) -> WallTime {
        if constexpr (requires { value.time; }) {
          return value.time;
        } else if constexpr (requires { value.begin; }) {
          return value.begin;
        } else if constexpr (requires { value.last; }) {
          return value.last;
        } else {
          return {};
        }
      },
      record);
}

// Equal for findings at equal places, across runs; empty of what is no finding.
inline std::string_view fingerprint_of(const Record& record) {
  return std::visit(
      [](const auto& value) -> std::string_view {
        if constexpr (requires { value.fingerprint; }) {
          return value.fingerprint;
        } else if constexpr (requires { value.longest.fingerprint; }) {
          return value.longest.fingerprint;
        } else {
          return {};
        }
      },
      record);
}

}  // namespace tailback
