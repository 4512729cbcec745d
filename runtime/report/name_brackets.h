// The brackets in a demangled name.
#pragma once

#include <cstddef>
#include <string_view>

namespace tailback {

// Length of an operator's own name at the text's beginning, brackets included, so that they are not
// taken for the brackets of arguments: "operator<<", "operator()", "operator->". 0 if there is
// none.
size_t operator_length(std::string_view text);

// Whether parentheses that end before this text belong to a name: "(anonymous namespace)::f",
// "{lambda()#1}::operator()".
bool names_a_scope(std::string_view after_closing);

// The end of the bracket that opens at text[0], one past its closing, or npos if it is never
// closed.
size_t bracket_end(std::string_view text);

}  // namespace tailback
