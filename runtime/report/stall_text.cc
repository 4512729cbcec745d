#include "runtime/report/stall_text.h"

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

constexpr size_t kCulpritColumns = 100;
constexpr size_t kObjectColumns = 100;
constexpr size_t kLineColumns = 200;  // notes and advice: ours, but they may quote the target
constexpr size_t kNameColumns = 32;
constexpr size_t kArgumentColumns = 60;
constexpr size_t kArgumentsShown = 8;
constexpr size_t kContributorsShown = 6;
constexpr size_t kCallbacksShown = 4;
constexpr size_t kNotesShown = 8;

std::string length_text(const Stall& stall) {
  std::string duration = duration_text(stall.duration);
  switch (stall.state) {
    case StallState::kOngoing:
      return duration + " so far";
    case StallState::kUnfinished:
      return duration + ", until the program ended";
    case StallState::kEnded:
      break;
  }
  return duration;
}

std::string pending_events_text(uint64_t pending_events) {
  if (pending_events == 0) return "no event was ready when the loop came back";
  return fmt::format("{} ready when the loop came back",
                     count_text(pending_events, "event was", "events were"));
}

std::string short_loop_text(const Stall& stall) {
  std::string text =
      fmt::format("{}[{}]", escape_for_terminal(stall.process, kNameColumns), stall.pid);
  if (stall.tid != stall.pid) {
    text += fmt::format(" {}[{}]", escape_for_terminal(stall.thread, kNameColumns), stall.tid);
  }
  return text;
}

std::string call_text(const BlockedCall& call) {
  std::string arguments;
  size_t shown = 0;
  for (const Argument& argument : call.arguments) {
    if (!arguments.empty()) arguments += ", ";
    if (shown++ == kArgumentsShown) {
      arguments += "…";
      break;
    }
    arguments += fmt::format("{}={}", escape_for_terminal(argument.name, kNameColumns),
                             escape_for_terminal(argument.value, kArgumentColumns));
  }
  return escape_for_terminal(
             fmt::format("{}({}", escape_for_terminal(call.function, kArgumentColumns), arguments),
             kLineColumns) +
         (call.intercepted ? ")" : ") (from /proc, not intercepted)");
}

// "in work (app.py:12), called from run (app.py:20)"
std::string holder_text(const std::vector<Frame>& stack) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(stack.size(), kShown); ++i)
    text += (i == 0 ? "in " : ", called from ") + frame_text(stack[i], kCulpritColumns / 2);
  return text;
}

std::string contributor_text(const ContributorShare& share) {
  const bool caller_known = !share.caller.function.empty() || !share.caller.file.empty() ||
                            !share.caller.module.empty() || share.caller.offset != 0;
  return fmt::format("{}, {} ({}, longest {}){}", duration_text(share.total),
                     escape_for_terminal(share.function, kArgumentColumns),
                     count_text(share.count, "call", "calls"), duration_text(share.longest),
                     caller_known ? " from " + frame_text(share.caller, kCulpritColumns) : "");
}

// " by at least 8 callbacks": nothing where all samples were in one.
std::string callbacks_count_text(const Stall& stall) {
  if (stall.callbacks.size() < 2) return {};
  return fmt::format(" by at least {} callbacks", stall.callbacks.size());
}

// Apart from the lines, which differ wherever a sample is taken.
bool is_of_one_entry(const std::vector<SampledCallback>& callbacks) {
  return std::all_of(callbacks.begin(), callbacks.end(), [&](const SampledCallback& one) {
    return one.entry.function == callbacks.front().entry.function &&
           one.entry.file == callbacks.front().entry.file;
  });
}

std::string entry_text(const SampledCallback& callback) {
  return callback.entry == Frame{} ? std::string()
                                   : frame_text(callback.entry, kCulpritColumns / 2);
}

std::string callback_text(const SampledCallback& callback) {
  const std::string task = escape_for_terminal(callback.task, kNameColumns);
  const std::string entry = entry_text(callback);
  if (task.empty() || entry.empty()) return entry + task;
  return fmt::format("{} in {}", entry, task);
}

// "54 % poll_meters (poller.js:12), 46 % poll_sensors (poller.js:7)"
std::string callbacks_text(const std::vector<SampledCallback>& callbacks) {
  Nanoseconds all{};
  for (const SampledCallback& callback : callbacks) all = saturating_sum(all, callback.weight);
  std::string text;
  const bool is_one = is_of_one_entry(callbacks);
  for (size_t i = 0; i < std::min(callbacks.size(), kCallbacksShown); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", share_text(callbacks[i].weight, all),
                        is_one ? escape_for_terminal(callbacks[i].task, kNameColumns)
                               : callback_text(callbacks[i]));
  }
  if (callbacks.size() > kCallbacksShown) {
    text += fmt::format(", … and {} more", callbacks.size() - kCallbacksShown);
  }
  if (is_one && !entry_text(callbacks.front()).empty()) {
    text += ", in " + entry_text(callbacks.front());
  }
  return text;
}

const SampledCallback* callback_of(const Stall& stall, const SampledStack& sampled) {
  const bool is_known = sampled.callback && *sampled.callback < stall.callbacks.size();
  return is_known ? &stall.callbacks[*sampled.callback] : nullptr;
}

// The stack with most time that is of another function than the one that is shown.
const SampledStack* second_stack(const Stall& stall) {
  const auto shown =
      std::find_if(stall.stacks.begin(), stall.stacks.end(), [&](const SampledStack& sampled) {
        return sampled.stack == stall.stack && callback_of(stall, sampled) != nullptr;
      });
  if (shown == stall.stacks.end()) return nullptr;
  const Frame& entry = callback_of(stall, *shown)->entry;
  const auto second =
      std::find_if(stall.stacks.begin(), stall.stacks.end(), [&](const SampledStack& sampled) {
        const SampledCallback* const other = callback_of(stall, sampled);
        return other &&
               (other->entry.function != entry.function || other->entry.file != entry.file);
      });
  return second == stall.stacks.end() ? nullptr : &*second;
}

std::string spent_text(const TimeSpent& spent) {
  std::string text = duration_text(spent.on_cpu) + " on CPU";
  if (spent.in_kernel > Nanoseconds::zero()) {
    text += fmt::format(" ({} in the kernel)", duration_text(spent.in_kernel));
  }
  text += fmt::format(", {} ready to run but without a CPU", duration_text(spent.runnable));
  if (spent.throttled > Nanoseconds::zero()) {
    text += fmt::format(" ({} throttled by a quota)", duration_text(spent.throttled));
  }
  text += fmt::format(", {} blocked, {} in calls", duration_text(spent.blocked),
                      duration_text(spent.in_calls));
  if (spent.major_faults > 0) {
    text += ", " + count_text(spent.major_faults, "major page fault", "major page faults");
  }
  return text;
}

void add_line(std::string& text, std::string_view label, std::string_view content) {
  text += fmt::format("  {:<8} {}\n", label, content);
}

std::string samples_text(const Stall& stall) {
  if (stall.samples == 0) return "no sample";
  return fmt::format("{}{}", count_text(stall.samples, "sample", "samples"),
                     stall.stack_complete ? "" : ", does not reach the start of the thread");
}

}  // namespace

std::string what_text(const Stall& stall) {
  std::string text =
      fmt::format("{} in {}", word(stall.cause), culprit_text(stall, kCulpritColumns));
  if (stall.call && !stall.call->object.empty()) {
    text += ", on " + escape_for_terminal(stall.call->object, kObjectColumns);
  }
  if (!stall.owners.empty()) text += doing_text(stall.owners.front());
  return text;
}

std::string full_stall_text(const Stall& stall, const TextStyle& style) {
  return style.headline(fmt::format("tailback: event loop blocked for {}{}: {}", length_text(stall),
                                    callbacks_count_text(stall), what_text(stall))) +
         "\n" + stall_details(stall, style);
}

std::string stall_details(const Stall& stall, const TextStyle& style) {
  std::string text;
  add_line(text, "loop", loop_text(stall.process, stall.pid, stall.thread, stall.tid, stall.loop));
  if (!stall.iteration.empty())
    add_line(text, "iteration", escape_for_terminal(stall.iteration, kObjectColumns));
  if (!stall.task.empty())
    add_line(text, "task", escape_for_terminal(stall.task, kArgumentColumns));
  if (stall.callbacks.size() > 1) add_line(text, "callbacks", callbacks_text(stall.callbacks));
  add_line(text, "since", wall_time_text(stall.begin));
  if (stall.call) add_line(text, "call", call_text(*stall.call));
  if (stall.call && !stall.call->owner_stack.empty()) {
    add_line(text, "holder", holder_text(stall.call->owner_stack));
  }
  if (stall.lock) add_line(text, "lock", lock_text(*stall.lock));
  for (const LockOwner& owner : stall.owners) {
    const bool is_thread = owner.lock.kind == LockKind::kThread;
    add_line(text, is_thread ? "that is" : "held by", owner_text(owner));
    text += stack_text(owner.stack, owner.culprit, style, "    ");
  }
  if (stall.spent.known) add_line(text, "time", spent_text(stall.spent));
  if (stall.cause == Cause::kMany) {
    const size_t shown = std::min(stall.contributors.size(), kContributorsShown);
    for (size_t i = 0; i < shown; ++i) {
      add_line(text, i == 0 ? "mostly" : "", contributor_text(stall.contributors[i]));
    }
    if (shown < stall.contributors.size()) {
      add_line(text, "", fmt::format("… and {} more", stall.contributors.size() - shown));
    }
  }
  if (!stall.stack.empty()) {
    add_line(text, "stack", samples_text(stall));
    text += stack_text(stall.stack, stall.culprit, style, "    ");
  }
  if (const SampledStack* const second = second_stack(stall)) {
    add_line(text, "stack",
             "of another callback, " + count_text(second->samples, "sample", "samples"));
    text += stack_text(second->stack, second->culprit, style, "    ");
  }
  if (stall.pending_events) add_line(text, "pending", pending_events_text(*stall.pending_events));
  const size_t notes = std::min(stall.limits.size(), kNotesShown);
  for (size_t i = 0; i < notes; ++i) {
    add_line(text, "note", escape_for_terminal(limit_text(stall.limits[i]), kLineColumns));
  }
  if (!stall.advice.empty()) {
    add_line(text, "advice", style.advice(escape_for_terminal(stall.advice, kLineColumns)));
  }
  return text;
}

std::string repeated_stall_text(const Stall& stall, const Culprit* tally) {
  std::string text =
      fmt::format("tailback: again, {}{}: {}; {}", length_text(stall), callbacks_count_text(stall),
                  what_text(stall), short_loop_text(stall));
  if (tally != nullptr && tally->count > 1) {
    text +=
        fmt::format("; {} times, {} in all", count_text(tally->count), duration_text(tally->total));
  }
  return text + "\n";
}

std::string still_blocked_text(const Stall& stall) {
  return fmt::format("tailback: still blocked after {}: {}; {}\n", duration_text(stall.duration),
                     what_text(stall), short_loop_text(stall));
}

std::string unblocked_text(const Stall& stall) {
  std::string text = stall.state == StallState::kUnfinished
                         ? fmt::format("tailback: event loop blocked for {}", length_text(stall))
                         : fmt::format("tailback: unblocked after {}", length_text(stall));
  text += fmt::format(": {}; {}", what_text(stall), short_loop_text(stall));
  if (stall.pending_events) text += "; " + pending_events_text(*stall.pending_events);
  return text + "\n";
}

std::string culprit_text(const Stall& stall, size_t limit) {
  if (const Frame* const frame = culprit_frame(stall)) return frame_text(*frame, limit);
  if (stall.call) return escape_for_terminal(stall.call->function, limit);
  return "unknown code";
}

std::string culprit_text(const Culprit& culprit, size_t limit) {
  if (culprit.frame) return frame_text(*culprit.frame, limit);
  if (!culprit.call.empty()) return escape_for_terminal(culprit.call, limit);
  return "unknown code";
}

std::string loop_text(const std::string& process, int pid, const std::string& thread, int tid,
                      const LoopIdentity& loop) {
  std::string text = fmt::format("{}[{}], ", escape_for_terminal(process, kNameColumns), pid);
  text += tid == pid ? std::string("main thread")
                     : fmt::format("thread {}[{}]", escape_for_terminal(thread, kNameColumns), tid);
  text += ", " + escape_for_terminal(loop.wait, kNameColumns);
  if (loop.fd >= 0) text += fmt::format(" on fd {}", loop.fd);
  return text;
}

}  // namespace tailback
