#include "runtime/explain/never_awaited.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <utility>

#include "runtime/explain/fingerprint.h"
#include "runtime/values/library_code.h"

namespace tailback {
namespace {

std::string_view line_at(std::string_view text, size_t position) {
  const size_t before = text.rfind('\n', position);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::optional<int> line_number(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 1) {
    return std::nullopt;
  }
  return number;
}

Frame python_frame(std::string_view file, int line, std::string_view function) {
  Frame frame;
  frame.language = "python";
  frame.file = file;
  frame.line = line;
  frame.function = function;
  return frame;
}

// The innermost of the frames behind "Coroutine created at (most recent call last)", each
// "  File "/a/b.py", line 12, in main".
std::optional<Frame> origin_in(std::string_view text) {
  const size_t origin = text.find("Coroutine created at (most recent call last)");
  if (origin == std::string_view::npos) return std::nullopt;
  constexpr std::string_view kFile = "  File \"";
  constexpr std::string_view kLine = "\", line ";
  constexpr std::string_view kIn = ", in ";
  const size_t at = text.rfind(kFile);
  if (at == std::string_view::npos || at < origin) return std::nullopt;
  const std::string_view line = line_at(text, at + 1);
  const size_t number = line.rfind(kLine);
  const size_t function = line.rfind(kIn);
  if (number == std::string_view::npos || function == std::string_view::npos || function < number) {
    return std::nullopt;
  }
  const size_t digits = number + kLine.size();
  const auto where = line_number(line.substr(digits, function - digits));
  if (!where) return std::nullopt;
  return python_frame(line.substr(kFile.size(), number - kFile.size()), *where,
                      line.substr(function + kIn.size()));
}

// The last two parts of a qualified name, without what stands in angle brackets and parentheses.
std::pair<std::string, std::string> last_parts(std::string_view function) {
  std::string before;
  std::string part;
  int depth = 0;
  for (size_t i = 0; i < function.size(); ++i) {
    const char c = function[i];
    if (depth == 0 && c == '(' && !function.substr(i).starts_with("(anonymous namespace)")) break;
    if (c == '<' || c == '(') ++depth;
    if (depth == 0 && function.substr(i).starts_with("::")) {
      before = std::exchange(part, {});
      ++i;
    } else if (depth == 0) {
      part += c;
    }
    if ((c == '>' || c == ')') && depth > 0) --depth;
  }
  return {before, part};
}

// "promise_type::promise_type", "Task<int>::Task": a type's name, twice.
bool is_constructor(std::string_view function) {
  const auto [type, own] = last_parts(function);
  return !own.empty() && type == own;
}

// The functions of tailback.h, and what makes a promise.
bool makes_promise(const Frame& frame) {
  return frame.function.starts_with("tailback_") || is_constructor(frame.function) ||
         library_of(frame) == "std";
}

}  // namespace

std::optional<NeverAwaited> read_python_warning(std::string_view text) {
  constexpr std::string_view kBegin = ": RuntimeWarning: coroutine '";
  constexpr std::string_view kEnd = "' was never awaited";
  const size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view line = line_at(text, begin);
  const size_t name = line.find(kBegin);
  const size_t end = line.find(kEnd, name + kBegin.size());
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view place = line.substr(0, name);
  const size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = line_number(place.substr(colon + 1));
  if (!number) return std::nullopt;
  NeverAwaited found;
  found.found_by = NeverAwaitedBy::kPython;
  found.coroutine = line.substr(name + kBegin.size(), end - name - kBegin.size());
  found.stack_complete = false;
  const std::optional<Frame> origin = origin_in(text);
  // "sys:1" stands for no place: it was dropped when the interpreter ended.
  if (origin) {
    found.stack.push_back(*origin);
  } else if (place != "sys:1") {
    found.stack.push_back(python_frame(place.substr(0, colon), *number, {}));
  }
  return found;
}

void name_coroutine(NeverAwaited& never_awaited) {
  const std::vector<Frame>& stack = never_awaited.stack;
  size_t at = 0;
  while (at < stack.size() && makes_promise(stack[at])) ++at;
  never_awaited.culprit = stack.size();
  if (at == stack.size()) return;
  never_awaited.coroutine = stack[at].function;
  if (at + 1 < stack.size()) never_awaited.culprit = at + 1;
}

void explain(NeverAwaited& never_awaited) {
  const bool is_python = never_awaited.found_by == NeverAwaitedBy::kPython;
  never_awaited.advice =
      is_python ? "await it, or hand it to asyncio.create_task() and keep the task: a coroutine "
                  "that is only called does nothing"
                : "co_await it, or hand it to what runs it: until then its body does nothing";
  Stall place;
  place.process = never_awaited.process;
  place.call = BlockedCall{};
  place.call->function = "never-awaited " + never_awaited.coroutine;
  place.stack = never_awaited.stack;
  place.culprit = never_awaited.culprit;
  never_awaited.fingerprint = fingerprint(place);
}

}  // namespace tailback
