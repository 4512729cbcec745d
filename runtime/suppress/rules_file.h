// The file of --suppressions: one rule a line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/suppress/rule.h"

namespace tailback {

// The file can't be read, or a line of it is no rule. what() is one line: where, what, the cure.
class RulesFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The rules of a text; `name` is the file's. Throws RulesFileError.
std::vector<Rule> parse_rules(std::string_view text, const std::string& name);

// Throws RulesFileError.
std::vector<Rule> read_rules(const std::string& path);

}  // namespace tailback
