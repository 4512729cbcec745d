#include "runtime/report/note_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "runtime/report/duration_text.h"
#include "runtime/report/lock_text.h"
#include "runtime/report/stack_text.h"
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

std::string place_text(const Note& note, std::string_view word) {
  constexpr size_t kPlaceColumns = 100;
  if (note.culprit >= note.stack.size()) return {};
  return std::string(word) + frame_text(note.stack[note.culprit], kPlaceColumns);
}

// ", for thread worker[17], which is in read of pipe", ", in sem_wait of 0x5581 [heap]"
std::string wait_text(const Note& note) {
  constexpr size_t kNameColumns = 32;
  constexpr size_t kObjectColumns = 60;
  std::string text;
  if (note.call) {
    text += ", in " + escape_for_terminal(note.call->function, kNameColumns);
    const bool is_told = !note.owners.empty() && note.owners.front().lock.kind == LockKind::kThread;
    if (!note.call->object.empty() && !is_told && note.others.empty()) {
      text += " of " + escape_for_terminal(note.call->object, kObjectColumns);
    }
  }
  for (const LockOwner& other : note.others) {
    text += &other == &note.others.front() ? ", for thread " : " or ";
    text += owner_text(other);
  }
  if (note.owners.empty()) return text;
  const LockOwner& owner = note.owners.front();
  const bool is_thread = owner.lock.kind == LockKind::kThread;
  return text + (is_thread ? ", for thread " : ", held by ") + owner_text(owner);
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
    case NoteKind::kProgramEnd:
      return fmt::format("{} took {} to end{}: not counted", thread_text(note), length,
                         place_text(note, ", in "));
    case NoteKind::kBlockedEnd:
      return fmt::format("{} ends, and has waited for {}{}{}", thread_text(note), length,
                         place_text(note, " at "), wait_text(note));
  }
  return {};
}

std::string note_details(const Note& note, const TextStyle& style) {
  if (note.kind != NoteKind::kBlockedEnd) return {};
  std::string text = "  waits\n" + stack_text(note.stack, note.culprit, style, "    ");
  const auto add = [&](const LockOwner& owner) {
    text += fmt::format("  {} {}\n", owner.lock.kind == LockKind::kThread ? "for    " : "held by",
                        owner_text(owner));
    text += stack_text(owner.stack, owner.culprit, style, "    ");
  };
  std::for_each(note.owners.begin(), note.owners.end(), add);
  std::for_each(note.others.begin(), note.others.end(), add);
  return text;
}

}  // namespace tailback
