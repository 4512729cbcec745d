#include "runtime/report/lock_order_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/duration_text.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 60;
constexpr size_t kFrameColumns = 90;
constexpr size_t kAdviceColumns = 400;

bool is_known(const Frame& frame) {
  return !frame.function.empty() || !frame.module.empty();
}

std::string name_text(const OrderedLock& lock) {
  return lock.name.empty() ? fmt::format("{:#x}", lock.address)
                           : escape_for_terminal(lock.name, kNameColumns);
}

std::string name_text(const LockOrder& order, size_t lock) {
  return lock < order.locks.size() ? name_text(order.locks[lock]) : "an unknown lock";
}

// " for reading", of a lock that is held in more ways than one.
std::string_view purpose(const std::string& held_for) {
  if (held_for == "read") return " for reading";
  if (held_for == "write") return " for writing";
  return "";
}

std::string thread_text(const LockStep& step) {
  return step.thread.empty()
             ? fmt::format("thread {}", step.tid)
             : fmt::format("thread {} ({})", escape_for_terminal(step.thread, 32), step.tid);
}

std::string place_text(const LockStep& step) {
  if (step.culprit < step.stack.size()) return frame_text(step.stack[step.culprit], kFrameColumns);
  return step.stack.empty() ? "unknown code" : frame_text(step.stack.front(), kFrameColumns);
}

template <typename Item, typename Text>
std::string listed(const std::vector<Item>& items, Text text) {
  std::string all;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) all += i + 1 == items.size() ? " and " : ", ";
    all += text(items[i]);
  }
  return all;
}

}  // namespace

std::string lock_text(const OrderedLock& lock) {
  std::string text = fmt::format("{} ({}", name_text(lock), escape_for_terminal(lock.kind, 16));
  if (is_known(lock.initialised)) {
    text += ", initialised in " + frame_text(lock.initialised, kFrameColumns);
  }
  return text + ")";
}

std::string lock_order_what(const LockOrder& order) {
  return listed(order.locks, [](const OrderedLock& lock) { return name_text(lock); }) + ", in " +
         listed(order.steps, [](const LockStep& step) { return place_text(step); });
}

std::string full_lock_order_text(const LockOrder& order, const TextStyle& style) {
  std::string text =
      style.headline("tailback: lock-order inversion: " + lock_order_what(order)) + "\n";
  text += fmt::format(
      "  process {}[{}]{}\n", escape_for_terminal(order.process, 32), order.pid,
      order.found_by.empty() ? "" : ", found by " + escape_for_terminal(order.found_by, 32));
  for (const OrderedLock& lock : order.locks) text += "  lock " + lock_text(lock) + "\n";
  for (const LockStep& step : order.steps) {
    text += fmt::format("  {} took {}{} while it held {}{}", thread_text(step),
                        name_text(order, step.taken), purpose(step.taken_for),
                        name_text(order, step.held), purpose(step.held_for));
    if (is_known(step.held_at)) {
      text += ", taken in " + frame_text(step.held_at, kFrameColumns);
    }
    text += "\n" + stack_text(step.stack, step.culprit, style, "    ");
    if (!step.stack_complete) text += style.aside("    (the stack may go on)") + "\n";
  }
  if (!order.advice.empty()) {
    text += "  " + style.advice(escape_for_terminal(order.advice, kAdviceColumns)) + "\n";
  }
  return text;
}

}  // namespace tailback
