#include "runtime/report/readable_name.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "runtime/report/name_brackets.h"

namespace tailback {
namespace {

// Templates within templates beyond this are left as they are.
constexpr int kDeepest = 64;

using Pair = std::pair<std::string_view, std::string_view>;

void replace_all(std::string& text, const Pair& pair) {
  for (size_t at = 0; (at = text.find(pair.first, at)) != std::string::npos;
       at += pair.second.size()) {
    text.replace(at, pair.first.size(), pair.second);
  }
}

// "[clone .constprop.0]", which may follow each other.
void drop_clones(std::string& text) {
  constexpr std::string_view kClone = " [clone ";
  for (size_t at; (at = text.find(kClone)) != std::string::npos;) {
    const size_t end = text.find(']', at);
    text.erase(at, end == std::string::npos ? end : end + 1 - at);
  }
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Calls `at_top(i)` for each character that lies in no bracket; ends when that returns true.
template <typename AtTop>
void walk_top(std::string_view text, AtTop at_top) {
  for (size_t i = 0; i < text.size();) {
    const size_t skipped = operator_length(text.substr(i));
    if (skipped != 0) {
      i += skipped;
    } else if (text[i] == '<' || text[i] == '(') {
      const size_t end = bracket_end(text.substr(i));
      if (end == std::string_view::npos) return;
      i += end;
    } else {
      if (at_top(i)) return;
      ++i;
    }
  }
}

std::vector<std::string_view> arguments_of(std::string_view inside) {
  std::vector<std::string_view> arguments;
  size_t begin = 0;
  walk_top(inside, [&](size_t i) {
    if (inside[i] == ',') {
      arguments.push_back(trimmed(inside.substr(begin, i - begin)));
      begin = i + 1;
    }
    return false;
  });
  arguments.push_back(trimmed(inside.substr(begin)));
  return arguments;
}

bool is_default(std::string_view argument) {
  static constexpr std::array<std::string_view, 6> kDefaults = {
      "std::allocator<", "std::char_traits<", "std::less<",
      "std::equal_to<",  "std::hash<",        "std::default_delete<"};
  return std::any_of(kDefaults.begin(), kDefaults.end(), [argument](std::string_view prefix) {
    return argument.starts_with(prefix) &&
           bracket_end(argument.substr(prefix.size() - 1)) == argument.size() - (prefix.size() - 1);
  });
}

std::string joined(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) {
    text += (text.empty() ? "" : ", ") + argument;
  }
  return text;
}

bool is_word(char c) {
  return c == '_' || c == ':' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// Where the qualified name begins with which the text ends.
size_t last_name(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && is_word(text[begin - 1])) --begin;
  return begin;
}

// What people call this template with these arguments; empty if they call it no other name.
std::string familiar_name(std::string_view name, const std::vector<std::string>& arguments) {
  constexpr std::string_view kBasic = "std::basic_";
  if (name.starts_with(kBasic) && arguments.size() == 1) {
    const std::string_view kind = name.substr(kBasic.size());
    if (kind.find(':') != std::string_view::npos) return {};
    if (arguments[0] == "char") return "std::" + std::string(kind);
    if (arguments[0] == "wchar_t") return "std::w" + std::string(kind);
  }
  if (name == "std::chrono::duration" && arguments[0] == "long") {
    static constexpr std::array<Pair, 6> kUnits = {{{"std::ratio<1l, 1000000000l>", "nanoseconds"},
                                                    {"std::ratio<1l, 1000000l>", "microseconds"},
                                                    {"std::ratio<1l, 1000l>", "milliseconds"},
                                                    {"std::ratio<1l, 1l>", "seconds"},
                                                    {"std::ratio<60l, 1l>", "minutes"},
                                                    {"std::ratio<3600l, 1l>", "hours"}}};
    const std::string_view period =
        arguments.size() > 1 ? std::string_view(arguments[1]) : "std::ratio<1l, 1l>";
    for (const Pair& unit : kUnits) {
      if (period == unit.first) return "std::chrono::" + std::string(unit.second);
    }
  }
  return {};
}

// Rewrites the arguments of all templates in the text.
std::string with_short_arguments(std::string_view text, int depth) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    if (const size_t skipped = operator_length(text.substr(i))) {
      result += text.substr(i, skipped);
      i += skipped;
      continue;
    }
    const size_t end = text[i] == '<' ? bracket_end(text.substr(i)) : std::string_view::npos;
    if (end == std::string_view::npos || depth >= kDeepest) {
      result += text[i++];
      continue;
    }
    std::vector<std::string> arguments;
    for (const std::string_view argument : arguments_of(text.substr(i + 1, end - 2))) {
      arguments.push_back(with_short_arguments(argument, depth + 1));
    }
    i += end;
    while (arguments.size() > 1 && is_default(arguments.back())) arguments.pop_back();
    const size_t name = last_name(result);
    const std::string familiar = familiar_name(std::string_view(result).substr(name), arguments);
    if (!familiar.empty()) {
      result.replace(name, std::string::npos, familiar);
    } else {
      result += "<" + joined(arguments) + ">";
    }
  }
  return result;
}

// "{lambda(int)#2}" and, in debug information, "<lambda(int)>".
void shorten_lambdas(std::string& text) {
  constexpr std::string_view kLambda = "lambda(";
  for (size_t at = 0; (at = text.find(kLambda, at)) != std::string::npos;) {
    const size_t open = at + kLambda.size() - 1;
    const size_t end = bracket_end(std::string_view(text).substr(open));
    const bool in_braces = at > 0 && text[at - 1] == '{';
    const bool in_angles = at > 0 && text[at - 1] == '<';
    if (end == std::string_view::npos || (!in_braces && !in_angles)) {
      at = open;
      continue;
    }
    const size_t after = open + end;
    const char closing = in_braces ? '}' : '>';
    const size_t close = text.find(closing, after);
    if (close == std::string::npos) return;
    std::string number = text.substr(after, close - after);  // "#2", or " mutable"
    if (!number.starts_with('#') || number == "#1") number.clear();
    const std::string plain = "{lambda" + number + "}";
    text.replace(at - 1, close + 1 - (at - 1), plain);
    at = at - 1 + plain.size();
  }
}

// "void run<int>(int)" says what it returns, as only function templates do.
void drop_result(std::string& text) {
  size_t space = std::string::npos;
  size_t head = 0;  // the end of the qualified name
  bool is_template = false;
  for (size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (operator_length(rest) != 0 || rest.starts_with("operator ")) return;
    if (text[i] == '<' || text[i] == '(') {
      const size_t end = bracket_end(rest);
      if (end == std::string_view::npos) return;
      if (text[i] == '(' && !names_a_scope(rest.substr(end))) break;
      is_template |= text[i] == '<';
      i += end;
    } else {
      if (text[i] == ' ') space = i;
      ++i;
    }
    head = i;
  }
  const bool is_thunk = text.find("thunk to ") < head || text.find(" for ") < head;
  if (space == std::string::npos || space > head || !is_template || is_thunk) return;
  if (head == text.size()) return;  // no parameters: no function's signature
  text.erase(0, space + 1);
}

// "<app::Task<T> as core::future::Future>::poll" is "app::Task<T>::poll", as is
// "<app::Task<T>>::poll".
void drop_trait(std::string& text) {
  constexpr std::string_view kAs = " as ";
  if (!text.starts_with('<')) return;
  const size_t end = bracket_end(text);
  if (end == std::string_view::npos) return;
  const std::string_view inside = std::string_view(text).substr(1, end - 2);
  size_t as = std::string_view::npos;
  walk_top(inside, [&](size_t i) {
    if (!inside.substr(i).starts_with(kAs)) return false;
    as = i;
    return true;
  });
  if (as == std::string_view::npos) {  // a method of the type's own
    if (names_a_scope(std::string_view(text).substr(end))) {
      text = std::string(inside) + text.substr(end);
    }
    return;
  }
  const std::string_view type = inside.substr(0, as);
  // "T" and "&F" say less than the trait.
  const bool says_much = type.find("::") != std::string_view::npos;
  const std::string_view kept = says_much ? type : inside.substr(as + kAs.size());
  text = std::string(kept) + text.substr(end);
}

}  // namespace

std::string readable_name(std::string_view name) {
  static constexpr std::array<Pair, 6> kReplaced = {{{"std::__cxx11::", "std::"},
                                                     {"std::__1::", "std::"},
                                                     {"std::__ndk1::", "std::"},
                                                     {"[abi:cxx11]", ""},
                                                     {"::_V2::", "::"},
                                                     {"{{vtable.shim}}", ""}}};
  std::string text(name);
  for (const Pair& pair : kReplaced) replace_all(text, pair);
  drop_clones(text);
  shorten_lambdas(text);
  drop_trait(text);
  text = with_short_arguments(text, 0);
  drop_result(text);
  return text;
}

}  // namespace tailback
