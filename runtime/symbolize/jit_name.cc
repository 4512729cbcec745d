#include "runtime/symbolize/jit_name.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tailback {
namespace {

constexpr auto kNone = std::string_view::npos;

// Takes ":digits" off the end of `text`.
bool take_number(std::string_view& text, int& out) {
  const size_t colon = text.rfind(':');
  if (colon == kNone || colon + 1 == text.size()) return false;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, out);
  if (error != std::errc() || stop != end || out < 0) return false;
  text = text.substr(0, colon);
  return true;
}

// V8 marks interpreted, baseline and two kinds of optimised code; "o": specialised.
std::string_view without_sign(std::string_view text) {
  if (text.starts_with("o+") || text.starts_with("o*")) return text.substr(2);
  if (!text.empty() && std::string_view("~^+*").find(text.front()) != kNone) text.remove_prefix(1);
  return text;
}

// Where, in "name file", the blank between them is. Both may have blanks: what looks like the
// beginning of a script's name decides, else the last blank.
size_t file_begin(std::string_view text) {
  constexpr std::array<std::string_view, 7> kBeginnings = {
      " /", " file:", " node:", " evalmachine.", " [eval", " http:", " https:"};
  size_t first = kNone;
  for (const std::string_view beginning : kBeginnings)
    first = std::min(first, text.find(beginning));
  return first != kNone ? first : text.rfind(' ');
}

Frame javascript_frame(std::string_view text) {
  Frame frame;
  frame.language = "javascript";
  int number = 0;
  if (take_number(text, number)) {
    frame.line = number;
    if (take_number(text, number)) frame.line = number;  // the first was the column
    const size_t blank = file_begin(text);
    if (blank != kNone) {
      std::string_view file = text.substr(blank + 1);
      constexpr std::string_view kScheme = "file://";
      if (file.starts_with(kScheme)) file.remove_prefix(kScheme.size());
      frame.file = file;
      text = text.substr(0, blank);
    }
    if (frame.file.empty()) frame.line = 0;
  }
  frame.function = text.empty() ? "<anonymous>" : text;
  return frame;
}

bool is_java_method(std::string_view name) {
  const size_t arguments = name.find('(');
  return arguments != kNone && name.substr(0, arguments).find('.') != kNone && name.ends_with(')');
}

// The type that it returns stands before a blank.
Frame java_frame(std::string_view name) {
  Frame frame;
  const std::string_view head = name.substr(0, name.find('('));
  const size_t blank = head.rfind(' ');
  frame.function = blank == kNone ? name : name.substr(blank + 1);
  frame.language = "java";
  return frame;
}

}  // namespace

Frame jit_frame(std::string_view name, bool in_jvm) {
  constexpr std::array<std::string_view, 5> kScripts = {
      "JS:", "LazyCompile:", "Function:", "Script:", "Eval:"};
  for (const std::string_view tag : kScripts) {
    if (name.starts_with(tag)) return javascript_frame(without_sign(name.substr(tag.size())));
  }
  if (in_jvm && is_java_method(name)) return java_frame(name);
  Frame frame;
  frame.function = name;
  return frame;
}

}  // namespace tailback
