#include "runtime/report/note_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/duration_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {

namespace {

// "server[4711] io-0[4713]", "server[4711]" of a main thread.
std::string thread_text(const Note& note) {
  constexpr size_t kNameColumns = 32;
  std::string text =
      fmt::format("{}[{}]", escape_for_terminal(note.process, kNameColumns), note.pid);
  if (note.tid != note.pid) {
    text += fmt::format(" {}[{}]", escape_for_terminal(note.thread, kNameColumns), note.tid);
  }
  return text;
}

}  // namespace

std::string note_text(const Note& note) {
  const std::string length = duration_text(note.length);
  switch (note.kind) {
    case NoteKind::kStopped:
      return fmt::format(
          "{} was stopped from outside (a signal or a debugger) for about {}: not counted",
          thread_text(note), length);
    case NoteKind::kSuspended:
      return fmt::format("the machine was suspended for {}: not counted", length);
    case NoteKind::kObserverLate:
      return fmt::format(
          "the observer itself was {} late, stopped or without a CPU: lengths are exact, stacks "
          "may be missing",
          length);
    case NoteKind::kAfterLoop:
      return fmt::format("{} went on for {} after its loop was over: not counted",
                         thread_text(note), length);
  }
  return {};
}

}  // namespace tailback
