// What an observer has to say that is no stall: time that it does not count, or its own lateness.
// A plain value.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

enum class NoteKind {
  kStopped,       // a thread, within an iteration, by a signal or a debugger
  kSuspended,     // the machine
  kObserverLate,  // the observer got no CPU or was stopped
  kAfterLoop,     // a thread went on after its loop was over; said once of a loop
  kProgramEnd,    // a program took long to end; said once of a loop
  kBlockedEnd,    // a program ends and waits
};

inline constexpr std::array<std::string_view, 6> kNoteKindWords = {
    "stopped", "suspended", "observer-late", "after-loop", "program-end", "blocked-end"};
constexpr std::string_view word(NoteKind kind) {
  return kNoteKindWords[static_cast<size_t>(kind)];
}

struct Note {
  NoteKind kind = NoteKind::kStopped;
  WallTime time;  // when it was noticed
  Nanoseconds length{};
  // Of a thread: of all kinds but kSuspended and kObserverLate; else 0 and empty.
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  // Of kBlockedEnd: the call that it waits in, and for whom.
  std::optional<BlockedCall> call{};
  std::vector<LockOwner> owners{};
  // Where nobody is known: threads of the program that have not ended.
  std::vector<LockOwner> others{};
  // Of kProgramEnd and kBlockedEnd, innermost first, and the frame to name.
  std::vector<Frame> stack{};
  size_t culprit = 0;
  bool stack_complete = true;
};

}  // namespace tailback
