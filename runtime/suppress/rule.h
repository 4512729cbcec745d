// A rule that says which findings are known and not reported.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/values/record.h"

namespace tailback {

// The text is no rule. what() names the key and what is accepted, without file or line.
class BadRule : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Patterns are those of fnmatch(3): * ? [abc]. A * also stands for slashes. A rule has one pattern
// at least, and a record matches when all of them do.
struct Rule {
  std::string file;  // where the rule stands, as it was named
  unsigned line = 0;
  std::string text;  // as it stands there

  std::optional<std::string> cause;
  // Any frame of the stack. A name matches whole or without its parameters.
  std::optional<std::string> function;
  std::optional<std::string> call;
  std::optional<std::string> object;
  std::optional<std::string> fingerprint;

  // rule_subject.h says what of each kind the keys are matched with.
  bool matches(const Record& record) const;
};

// Reads the keys of one line: key=pattern, with blanks between them; a pattern that holds blanks
// stands in double quotes, where \" and \\ stand for a quote and a backslash. A word that begins
// with # begins a comment. Nothing: the line holds no rule. Throws BadRule.
std::optional<Rule> parse_rule(std::string_view line);

// A word of a rule whose pattern matches this text and no other. What a line can't hold (control
// characters) stands as ?.
std::string exact_word(std::string_view key, std::string_view text);

}  // namespace tailback
