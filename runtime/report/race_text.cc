#include "runtime/report/race_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "runtime/report/duration_text.h"
#include "runtime/report/limit_text.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 60;
constexpr size_t kFrameColumns = 90;
constexpr size_t kAdviceColumns = 400;

struct KindText {
  std::string_view kind;
  std::string_view text;
};
constexpr KindText kKinds[] = {
    {"data-race", "data race"},
    {"data-race-vptr",
     "data race on a virtual table pointer (constructor or destructor against "
     "virtual call)"},
    {"heap-use-after-free", "race between use and free"},
    {"heap-use-after-free-vptr", "race between a virtual call and free"},
    {"external-race", "race on an object of a library"},
    {"thread-leak", "thread that was never joined"},
    {"locked-mutex-destroy", "mutex destroyed while it was locked"},
    {"mutex-double-lock", "mutex locked twice by one thread"},
    {"mutex-invalid-access", "use of a mutex that was never made or is no more"},
    {"mutex-bad-unlock", "mutex unlocked by a thread that did not hold it"},
    {"mutex-bad-read-lock", "read lock of a mutex that was locked for writing"},
    {"mutex-bad-read-unlock", "read unlock of a mutex that was not locked for reading"},
    {"signal-unsafe-call", "call in a signal handler that is not allowed there"},
    {"errno-in-signal-handler", "signal handler that changes errno"}};

std::string kind_text(const Race& race) {
  for (const KindText& one : kKinds) {
    if (one.kind == race.kind) return std::string(one.text);
  }
  return race.kind.empty() ? "finding of ThreadSanitizer"
                           : escape_for_terminal(race.kind, kNameColumns);
}

std::string place_text(const RaceStack& at) {
  if (at.stack.empty()) return "unknown code";
  return frame_text(at.stack[at.culprit < at.stack.size() ? at.culprit : 0], kFrameColumns);
}

std::string access_word(const RaceAccess& access) {
  return fmt::format("{}{}", access.atomic ? "atomic " : "", access.write ? "write" : "read");
}

std::string thread_text(const Race& race, int id) {
  const auto it = std::find_if(race.threads.begin(), race.threads.end(),
                               [&](const RaceThread& thread) { return thread.id == id; });
  if (it == race.threads.end()) return id == 0 ? "the main thread" : fmt::format("thread T{}", id);
  const std::string tid = it->tid > 0 ? fmt::format(" ({})", it->tid) : "";
  if (id == 0) return "the main thread" + tid;
  if (it->name.empty()) return fmt::format("thread T{}{}", id, tid);
  return fmt::format("thread {}{}", escape_for_terminal(it->name, 32), tid);
}

std::string location_text(const Race& race) {
  const RaceLocation& location = *race.location;
  const std::string size =
      location.size > 0 ? count_text(location.size, "byte", "bytes") : std::string();
  const std::string of_thread =
      location.thread ? " of " + thread_text(race, *location.thread) : std::string();
  if (location.kind == "heap") {
    return fmt::format("memory of {} at {:#x}, allocated by {}",
                       size.empty() ? "unknown size" : size, location.address,
                       location.thread ? thread_text(race, *location.thread) : "an unknown thread");
  }
  if (location.kind == "stack" || location.kind == "tls") {
    return fmt::format("{}{}", location.kind == "stack" ? "the stack" : "a thread-local variable",
                       of_thread);
  }
  if (location.kind == "fd") {
    return fmt::format("file descriptor {}, opened by {}", location.fd.value_or(-1),
                       location.thread ? thread_text(race, *location.thread) : "an unknown thread");
  }
  const std::string name = location.name.empty() ? fmt::format("{:#x}", location.address)
                                                 : escape_for_terminal(location.name, kNameColumns);
  return size.empty() ? name : fmt::format("{}, {}", name, size);
}

std::string stack_lines(const RaceStack& at, const TextStyle& style) {
  if (at.stack.empty()) return "    " + style.aside("(the stack could not be restored)") + "\n";
  return stack_text(at.stack, at.culprit, style, "    ");
}

// The culprit of what the report is about.
const RaceStack* first_stack(const Race& race) {
  if (!race.accesses.empty()) return &race.accesses.front().at;
  if (!race.stacks.empty()) return &race.stacks.front();
  for (const RaceThread& thread : race.threads) {
    if (!thread.created.stack.empty()) return &thread.created;
  }
  return nullptr;
}

}  // namespace

std::string race_headline(const Race& race) {
  std::string text = kind_text(race);
  if (race.location && !race.location->name.empty()) {
    text += " on " + escape_for_terminal(race.location->name, kNameColumns);
  }
  for (size_t i = 0; i < std::min<size_t>(race.accesses.size(), 2); ++i) {
    const RaceAccess& access = race.accesses[i];
    text +=
        fmt::format("{} {} in {}", i == 0 ? ":" : ",", access_word(access), place_text(access.at));
  }
  if (race.accesses.empty()) {
    if (const RaceStack* const at = first_stack(race)) text += ", in " + place_text(*at);
  }
  return text;
}

std::string full_race_text(const Race& race, const TextStyle& style) {
  std::string text = style.headline("tailback: " + race_headline(race)) + "\n";
  text += fmt::format("  process {}[{}], found by ThreadSanitizer\n",
                      escape_for_terminal(race.process, 32), race.pid);
  for (size_t i = 0; i < race.accesses.size(); ++i) {
    const RaceAccess& access = race.accesses[i];
    text += fmt::format("  {}{} of {} at {:#x} by {}\n", i == 0 ? "" : "earlier ",
                        access_word(access), count_text(access.size, "byte", "bytes"),
                        access.address, thread_text(race, access.thread));
    text += stack_lines(access.at, style);
  }
  for (const RaceStack& at : race.stacks) text += "  in\n" + stack_lines(at, style);
  if (race.location) {
    text += "  memory   " + location_text(race) + "\n";
    if (!race.location->allocated.stack.empty()) {
      text += stack_lines(race.location->allocated, style);
    }
  }
  for (const RaceMutex& mutex : race.mutexes) {
    text += fmt::format("  mutex    {}{}{}\n",
                        mutex.name.empty() ? fmt::format("{:#x}", mutex.address)
                                           : escape_for_terminal(mutex.name, kNameColumns),
                        mutex.destroyed ? ", destroyed since" : "",
                        mutex.created.stack.empty() ? "" : ", first used in");
    if (!mutex.created.stack.empty()) text += stack_lines(mutex.created, style);
  }
  for (const RaceThread& thread : race.threads) {
    if (thread.created.stack.empty()) continue;
    text += fmt::format("  {}{} was created{} in\n", thread_text(race, thread.id),
                        thread.running ? "" : ", which has ended,",
                        thread.parent ? " by " + thread_text(race, *thread.parent) : "");
    text += stack_lines(thread.created, style);
  }
  if (!race.sleep.stack.empty()) {
    text += "  it looks as if a sleep were to keep them apart, in\n";
    text += stack_lines(race.sleep, style);
  }
  for (const ReportLimit& limit : race.limits)
    text += "  note     " + escape_for_terminal(limit_text(limit), 200) + "\n";
  if (!race.advice.empty()) {
    text += "  " + style.advice(escape_for_terminal(race.advice, kAdviceColumns)) + "\n";
  }
  return text;
}

}  // namespace tailback
