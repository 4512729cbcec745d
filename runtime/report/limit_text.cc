#include "runtime/report/limit_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/duration_text.h"

namespace tailback {

std::string limit_text(const ReportLimit& limit) {
  const std::string time = duration_text(limit.time);
  switch (limit.kind) {
    case LimitKind::kStopped:
      return fmt::format("stopped from outside for about {} of the iteration: not counted", time);
    case LimitKind::kSuspended:
      return fmt::format("the machine was suspended for {} meanwhile: not counted", time);
    case LimitKind::kObserverLate:
      return fmt::format(
          "the observer itself was {} late: the length is exact, but what happened meanwhile was "
          "not seen",
          time);
    case LimitKind::kAllowedToBlock:
      return fmt::format("{} more in a scope that is allowed to block: not counted", time);
    case LimitKind::kAfterLoop:
      return fmt::format("{} more after its loop was over: not counted", time);
    case LimitKind::kEndNotRecorded:
      return "the iteration's end was not recorded: the length is a lower bound";
    case LimitKind::kObservingEnded:
      return "still going on when observing ended";
    case LimitKind::kThreadEnded:
      return "the thread ended inside it";
    case LimitKind::kProcessEnded:
      return "the process ended inside it";
    case LimitKind::kUnhookedWait:
      return fmt::format(
          "the loop's own wait is no call of libc's: the iteration was sampled from outside, and "
          "may be up to {} longer",
          time);
    case LimitKind::kNoStack:
      return "no stack was read in time: the caller of the longest call is shown";
    case LimitKind::kOwnerUnknown:
      return fmt::format("the owner of the {} is not known: {}", limit.subject, limit.reason);
    case LimitKind::kPartUnread:
      return "a part of the report could not be read";
    case LimitKind::kStackOfInterpreter:
    case LimitKind::kOther:
      return limit.reason;
  }
  return {};
}

}  // namespace tailback
