// What an observer has to say that is no stall: time that it does not count, or its own lateness.
// A plain value.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "runtime/values/stall.h"

namespace tailback {

enum class NoteKind {
  kStopped,       // a thread, within an iteration, by a signal or a debugger
  kSuspended,     // the machine
  kObserverLate,  // the observer got no CPU or was stopped
  kAfterLoop,     // a thread went on after its loop was over; said once of a loop
};

inline constexpr std::array<std::string_view, 4> kNoteKindWords = {"stopped", "suspended",
                                                                   "observer-late", "after-loop"};
constexpr std::string_view word(NoteKind kind) {
  return kNoteKindWords[static_cast<size_t>(kind)];
}

struct Note {
  NoteKind kind = NoteKind::kStopped;
  WallTime time;  // when it was noticed
  Nanoseconds length{};
  // For kStopped and kAfterLoop only; else 0 and empty.
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
};

}  // namespace tailback
