#include "runtime/report/deadlock_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "runtime/report/duration_text.h"
#include "runtime/report/limit_text.h"
#include "runtime/report/lock_text.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 32;
constexpr size_t kLockColumns = 60;
constexpr size_t kLineColumns = 200;
constexpr size_t kNamedInHeadline = 4;

std::string who(const DeadlockedThread& thread) {
  const bool is_main = thread.tid == thread.pid;
  const std::string& name = is_main ? thread.process : thread.thread;
  return fmt::format("{}[{}]", escape_for_terminal(name, kNameColumns), thread.tid);
}

std::string wants_text(const Lock& lock) {
  const std::string name = escape_for_terminal(lock.name, kLockColumns);
  if (lock.kind == LockKind::kThread) return name.empty() ? "a thread's end" : "the end of " + name;
  return name.empty() ? std::string(word(lock.kind)) : name;
}

// "; held by right[12]"
std::string holder_text(const Deadlock& deadlock, const DeadlockedThread& thread) {
  if (thread.waits_for.empty()) return ", whose owner has ended";
  if (thread.wants.kind == LockKind::kThread) return "";
  const DeadlockedThread& holder = deadlock.threads[thread.waits_for.front()];
  if (&holder == &thread && thread.waits_for.size() == 1) return ", which it holds itself";
  const bool is_held = std::any_of(holder.holds.begin(), holder.holds.end(), [&](const Lock& lock) {
    return lock.address == thread.wants.address && lock.name == thread.wants.name;
  });
  if (is_held) return ", held by " + who(holder);
  if (thread.waits_for.size() == 1)
    return ", which " + who(holder) + " would have to signal or release";
  return ", which only threads that are blocked themselves can end";
}

void add_line(std::string& text, std::string_view label, std::string_view content) {
  text += fmt::format("  {:<8} {}\n", label, content);
}

}  // namespace

std::string deadlock_headline(const Deadlock& deadlock) {
  const auto in_cycle = static_cast<size_t>(
      std::count_if(deadlock.threads.begin(), deadlock.threads.end(),
                    [](const DeadlockedThread& thread) { return thread.in_cycle; }));
  std::string text = "deadlock";
  if (deadlock.kind == DeadlockKind::kCycle) {
    text += " of " + count_text(in_cycle, "thread", "threads");
  } else if (deadlock.kind == DeadlockKind::kLostOwner) {
    text += " with a lost owner";
  }
  for (size_t i = 0; i < std::min(in_cycle, kNamedInHeadline); ++i) {
    const DeadlockedThread& thread = deadlock.threads[i];
    text += fmt::format("{} {} waits for {}{}", i == 0 ? ":" : ";", who(thread),
                        wants_text(thread.wants), holder_text(deadlock, thread));
  }
  if (in_cycle > kNamedInHeadline) text += "; …";
  return text;
}

std::string full_deadlock_text(const Deadlock& deadlock, const TextStyle& style) {
  std::string text = style.headline("tailback: " + deadlock_headline(deadlock)) + "\n";
  std::string found = wall_time_text(deadlock.time);
  if (deadlock.held > Nanoseconds::zero()) {
    found += fmt::format(", {} after the last of them began to wait", duration_text(deadlock.held));
  }
  add_line(text, "found", found);
  for (const DeadlockedThread& thread : deadlock.threads) {
    std::string name = who(thread);
    if (thread.tid != thread.pid) {
      name +=
          fmt::format(" of {}[{}]", escape_for_terminal(thread.process, kNameColumns), thread.pid);
    }
    if (!thread.in_cycle) name += ", which waits for them";
    add_line(text, "thread", name);
    add_line(text, "wants",
             fmt::format("{}{}, in {}", lock_text(thread.wants), holder_text(deadlock, thread),
                         escape_for_terminal(thread.call.function, kNameColumns)));
    for (const Lock& lock : thread.holds) add_line(text, "holds", lock_text(lock));
    text += stack_text(thread.stack, thread.culprit, style, "    ");
  }
  if (deadlock.more_blocked > 0) {
    add_line(
        text, "",
        fmt::format("… and {} for these",
                    count_text(deadlock.more_blocked, "more thread waits", "more threads wait")));
  }
  for (const ReportLimit& limit : deadlock.limits) {
    add_line(text, "note", escape_for_terminal(limit_text(limit), kLineColumns));
  }
  if (!deadlock.advice.empty()) {
    add_line(text, "advice", style.advice(escape_for_terminal(deadlock.advice, kLineColumns)));
  }
  return text;
}

}  // namespace tailback
