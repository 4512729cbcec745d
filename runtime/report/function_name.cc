#include "runtime/report/function_name.h"

#include "runtime/report/printable.h"

namespace tailback {
namespace {

constexpr std::string_view kOperator = "operator";

// Length of an operator's own name at the text's beginning, brackets included, so that they are not
// taken for the brackets of arguments: "operator<<", "operator()", "operator->". 0 if there is
// none.
size_t operator_length(std::string_view text) {
  if (!text.starts_with(kOperator)) return 0;
  const std::string_view rest = text.substr(kOperator.size());
  for (const std::string_view symbol :
       {"<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "()", "<", ">"}) {
    if (rest.starts_with(symbol)) return kOperator.size() + symbol.size();
  }
  return 0;
}

// Parentheses that belong to a name: "(anonymous namespace)::f", "{lambda()#1}::operator()".
bool names_a_scope(std::string_view after_closing) {
  return after_closing.starts_with("::");
}

// The end of the bracket that opens at text[0], one past its closing, or npos if it is never
// closed.
size_t bracket_end(std::string_view text) {
  const char open = text[0];
  const char close = open == '<' ? '>' : ')';
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    if (const size_t skipped = operator_length(text.substr(i))) {
      i += skipped;
      continue;
    }
    if (text[i] == open) ++depth;
    // The arrow of a trailing return type closes nothing.
    if (text[i] == close && !(i > 0 && text[i - 1] == '-') && --depth == 0) return i + 1;
    ++i;
  }
  return std::string_view::npos;
}

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
  if (name.size() > limit && name.size() <= kLongest) {
    std::string shorter = emptied(name, '<');
    if (columns(shorter) > limit) shorter = emptied(shorter, '(');
    if (columns(shorter) > limit) shorter = without_scopes(shorter, limit);
    return printable(shorter, limit);
  }
  return printable(name, limit);
}

}  // namespace tailback
