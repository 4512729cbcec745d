#include "runtime/report/name_brackets.h"

namespace tailback {

size_t operator_length(std::string_view text) {
  constexpr std::string_view kOperator = "operator";
  if (!text.starts_with(kOperator)) return 0;
  const std::string_view rest = text.substr(kOperator.size());
  for (const std::string_view symbol :
       {"<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "()", "<", ">"}) {
    if (rest.starts_with(symbol)) return kOperator.size() + symbol.size();
  }
  return 0;
}

bool names_a_scope(std::string_view after_closing) {
  return after_closing.starts_with("::");
}

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

}  // namespace tailback
