#include "runtime/interpreters/python/module_name.h"

#include <charconv>

#include "runtime/values/frame.h"

namespace tailback {
namespace {

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
  return number;
}

bool begins_with_part(std::string_view text) {
  return text.size() >= 2 && text[0] == '.' && text[1] >= '0' && text[1] <= '9';
}

}  // namespace

std::optional<PythonModuleName> python_module_name(std::string_view path) {
  std::string_view rest = file_name(path);
  take(rest, "lib");
  if (!take(rest, "python") && !take(rest, "pypy")) return std::nullopt;
  PythonModuleName name;
  if (const auto major = take_number(rest); major && begins_with_part(rest)) {
    rest.remove_prefix(1);
    if (const auto minor = take_number(rest)) name.version = {*major, *minor};
  }
  while (begins_with_part(rest)) {  // a patch release
    rest.remove_prefix(1);
    if (!take_number(rest)) return std::nullopt;
  }
  for (; !rest.empty() && std::string_view("dmtu").find(rest[0]) != std::string_view::npos;
       rest.remove_prefix(1)) {
    name.debug = name.debug || rest[0] == 'd';
    name.free_threaded = name.free_threaded || rest[0] == 't';
  }
  take(rest, "-c");  // PyPy's library
  if (!rest.empty() && !rest.starts_with(".so")) return std::nullopt;
  return name;
}

}  // namespace tailback
