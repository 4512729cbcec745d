#include "runtime/report/never_awaited_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/duration_text.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 80;
constexpr size_t kFrameColumns = 120;
constexpr size_t kAdviceColumns = 400;

}  // namespace

std::string never_awaited_headline(const NeverAwaited& never_awaited) {
  std::string text = "coroutine ";
  if (!never_awaited.coroutine.empty())
    text += escape_for_terminal(never_awaited.coroutine, kNameColumns) + " ";
  text += "was never awaited";
  if (never_awaited.culprit < never_awaited.stack.size()) {
    text += ", made in " + frame_text(never_awaited.stack[never_awaited.culprit], kFrameColumns);
  }
  return text;
}

std::string full_never_awaited_text(const NeverAwaited& never_awaited, const TextStyle& style) {
  std::string text = style.headline("tailback: " + never_awaited_headline(never_awaited)) + "\n";
  const bool is_python = never_awaited.found_by == NeverAwaitedBy::kPython;
  text += fmt::format("  process  {}[{}], dropped by thread {}[{}]{}\n",
                      escape_for_terminal(never_awaited.process, 32), never_awaited.pid,
                      escape_for_terminal(never_awaited.thread, 32), never_awaited.tid,
                      is_python ? ", as its interpreter warns" : "");
  text += stack_text(never_awaited.stack, never_awaited.culprit, style, "    ");
  text += "  " +
          style.advice("advice   " + escape_for_terminal(never_awaited.advice, kAdviceColumns)) +
          "\n";
  return text;
}

}  // namespace tailback
