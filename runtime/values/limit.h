// What limits a report: a plain value. report/limit_text.h has the sentences.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace tailback {

// The words are part of the JSON schema.
enum class LimitKind {
  kStopped,             // from outside, for `time` of the iteration: not counted
  kSuspended,           // the machine, for `time` meanwhile: not counted
  kObserverLate,        // by `time`: the length is exact, what happened meanwhile was not seen
  kAllowedToBlock,      // `time` more in a scope that is allowed to block: not counted
  kAfterLoop,           // `time` more after the loop was over: not counted
  kEndNotRecorded,      // the length is a lower bound
  kObservingEnded,      // it was still going on then
  kThreadEnded,         // inside the iteration
  kProcessEnded,        // inside the iteration
  kUnhookedWait,        // the loop's wait is no call of libc's: up to `time` longer
  kNoStack,             // none was read in time: the caller of the longest call is shown
  kOwnerUnknown,        // of the lock of the kind `subject`; `reason` says why
  kPartUnread,          // a part of the report could not be read
  kStackOfInterpreter,  // frames are missing or coarse; `reason` says which
  kOther,               // `reason` is the sentence
};

inline constexpr std::array<std::string_view, 15> kLimitKindWords = {
    "stopped",          "suspended",       "observer-late", "allowed-to-block",  "after-loop",
    "end-not-recorded", "observing-ended", "thread-ended",  "process-ended",     "unhooked-wait",
    "no-stack",         "owner-unknown",   "part-unread",   "interpreter-stack", "other"};
constexpr std::string_view word(LimitKind kind) {
  return kLimitKindWords[static_cast<size_t>(kind)];
}

struct ReportLimit {
  LimitKind kind = LimitKind::kOther;
  std::chrono::nanoseconds time{};  // 0: the kind has none
  std::string subject{};
  std::string reason{};

  bool operator==(const ReportLimit&) const = default;
};

}  // namespace tailback
