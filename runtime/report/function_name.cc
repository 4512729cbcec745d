#include "runtime/report/function_name.h"

#include "runtime/report/name_brackets.h"
#include "runtime/report/readable_name.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

// The name with the outermost brackets of one kind emptied. The name itself if they don't match.
std::string emptied(std::string_view name, char open) {
  std::string result;
  for (size_t i = 0; i < name.size();) {
    if (const size_t skipped = operator_length(name.substr(i))) {
      result += name.substr(i, skipped);
      i += skipped;
      continue;
    }
    if (name[i] == open) {
      const size_t end = bracket_end(name.substr(i));
      if (end == std::string_view::npos) return std::string(name);
      const std::string_view inside = name.substr(i + 1, end - 2);
      const bool keep = inside.empty() || (open == '(' && names_a_scope(name.substr(i + end)));
      if (keep) {
        result += name.substr(i, end);
      } else {
        result += open == '<' ? "<…>" : "(…)";
      }
      i += end;
      continue;
    }
    result += name[i++];
  }
  return result;
}

// Where the name goes on after its outermost scope; npos if it has none.
size_t after_first_scope(std::string_view name) {
  for (size_t i = 0; i < name.size();) {
    if (operator_length(name.substr(i)) != 0) break;
    if (name[i] == '<' || name[i] == '(') {
      const size_t end = bracket_end(name.substr(i));
      if (end == std::string_view::npos) break;
      if (name[i] == '(' && !names_a_scope(name.substr(i + end))) break;  // the parameters
      i += end;
    } else if (name.substr(i).starts_with("::")) {
      return i + 2;
    } else {
      ++i;
    }
  }
  return std::string_view::npos;
}

// The name without as many of its outer scopes as it takes to fit: "…::Server::on_read(…)".
std::string without_scopes(std::string_view name, size_t limit) {
  std::string shorter(name);
  std::string_view rest = name;
  while (columns(shorter) > limit) {
    const size_t next = after_first_scope(rest);
    if (next == std::string_view::npos) break;
    rest.remove_prefix(next);
    shorter = "…::" + std::string(rest);
  }
  return shorter;
}

}  // namespace

std::string short_function_name(std::string_view name, size_t limit) {
  // Far more than a line shows: the brackets of a megabyte are not worth matching.
  constexpr size_t kLongest = 65536;
  if (name.size() > kLongest) return escape_for_terminal(name, limit);
  std::string shorter = readable_name(name);
  if (columns(shorter) > limit) shorter = emptied(shorter, '<');
  if (columns(shorter) > limit) shorter = emptied(shorter, '(');
  if (columns(shorter) > limit) shorter = without_scopes(shorter, limit);
  return escape_for_terminal(shorter, limit);
}

}  // namespace tailback
