#include "runtime/suppress/rule.h"

#include <fmt/ranges.h>
#include <fnmatch.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "runtime/report/terminal_escape.h"
#include "runtime/suppress/rule_subject.h"

namespace tailback {
namespace {

// Text comes from the target; matching a long one against many stars would take long.
constexpr size_t kMatchedBytes = 1024;
constexpr size_t kSaidColumns = 60;

struct Key {
  std::string_view name;
  std::optional<std::string> Rule::*pattern;
};
constexpr std::array kKeys = {Key{"cause", &Rule::cause}, Key{"function", &Rule::function},
                              Key{"call", &Rule::call}, Key{"object", &Rule::object},
                              Key{"fingerprint", &Rule::fingerprint}};

constexpr std::string_view kAccepted =
    "give key=pattern with the keys cause, function, call, object, fingerprint";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string said(std::string_view text) {
  return "'" + escape_for_terminal(text, kSaidColumns) + "'";
}

bool matches_text(const std::string& pattern, std::string_view text) {
  const std::string bounded(utf8_prefix(text, kMatchedBytes));
  return fnmatch(pattern.c_str(), bounded.c_str(), 0) == 0;
}

// "ns::f<int>(char)" → "ns::f<int>".
std::string_view without_parameters(std::string_view name) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  int templates = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++templates;
    if (name[i] == '>') --templates;
    if (name[i] != '(' || templates != 0) continue;
    if (name.substr(i).starts_with(kAnonymous)) {
      i += kAnonymous.size() - 1;
    } else {
      return name.substr(0, i);
    }
  }
  return name;
}

bool matches_function(const std::string& pattern, std::string_view name) {
  if (name.empty()) return false;
  return matches_text(pattern, name) || matches_text(pattern, without_parameters(name));
}

// The pattern of a word, from `line`, which it shortens. `key` is for messages.
std::string take_pattern(std::string_view& line, std::string_view key) {
  std::string pattern;
  if (line.empty() || line.front() != '"') {
    const auto* const end = std::find_if(line.begin(), line.end(), is_blank);
    pattern.assign(line.begin(), end);
    line.remove_prefix(pattern.size());
    if (pattern.find('"') == std::string::npos) return pattern;
    throw BadRule(fmt::format("{}: a quote within {}; put the whole pattern in double quotes", key,
                              said(pattern)));
  }
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '"') {
      line.remove_prefix(i + 1);
      if (line.empty() || is_blank(line.front())) return pattern;
      throw BadRule(fmt::format("{}: {} follows the closing quote; put a blank between them", key,
                                said(line)));
    }
    const bool escape =
        line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\');
    pattern += line[escape ? ++i : i];
  }
  throw BadRule(fmt::format("{}: the quote is not closed; end the pattern with \"", key));
}

struct OldCause {
  std::string_view name;
  std::string_view now;
};
// What rules that are older than schema 2 call a cause.
constexpr std::array kOldCauses = {OldCause{"starved", word(Cause::kRunQueueWait)},
                                   OldCause{"fault", word(Cause::kPageFault)}};

void check_cause(std::string& pattern) {
  for (const OldCause& old : kOldCauses) {
    if (pattern == old.name) pattern = old.now;
  }
  const auto matches = [&](std::string_view one) { return matches_text(pattern, one); };
  const std::vector<std::string_view> findings = finding_causes();
  if (std::any_of(kCauseWords.begin(), kCauseWords.end(), matches) ||
      std::any_of(findings.begin(), findings.end(), matches)) {
    return;
  }
  throw BadRule(fmt::format("cause: no cause is {}; there are {}, {}", said(pattern),
                            fmt::join(kCauseWords, ", "), fmt::join(findings, ", ")));
}

void add_word(Rule& rule, std::string_view& line) {
  const auto* const name_end =
      std::find_if(line.begin(), line.end(), [](char c) { return c == '=' || is_blank(c); });
  const std::string_view name = line.substr(0, static_cast<size_t>(name_end - line.begin()));
  const auto* const key =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& one) { return one.name == name; });
  if (key == kKeys.end()) throw BadRule(fmt::format("{}: no such key; {}", said(name), kAccepted));
  line.remove_prefix(name.size());
  if (line.empty() || line.front() != '=') {
    throw BadRule(fmt::format("{}: no '=' after it; {}", name, kAccepted));
  }
  line.remove_prefix(1);
  std::optional<std::string>& pattern = rule.*(key->pattern);
  if (pattern) throw BadRule(fmt::format("{}: given twice; write two rules", name));
  pattern = take_pattern(line, name);
  if (pattern->empty()) {
    throw BadRule(fmt::format("{}: the pattern is empty; give a text, or * for any", name));
  }
}

void skip_blanks(std::string_view& line) {
  line.remove_prefix(
      static_cast<size_t>(std::find_if_not(line.begin(), line.end(), is_blank) - line.begin()));
}

}  // namespace

bool Rule::matches(const Record& record) const {
  if (fingerprint && !matches_text(*fingerprint, fingerprint_of(record))) return false;
  const auto any_text = [](const std::string& pattern, const std::vector<std::string_view>& texts) {
    return std::any_of(texts.begin(), texts.end(),
                       [&](std::string_view one) { return matches_text(pattern, one); });
  };
  const auto any_frame = [](const std::string& pattern, const std::vector<Frame>* stack) {
    return std::any_of(stack->begin(), stack->end(), [&](const Frame& frame) {
      return matches_function(pattern, frame.function);
    });
  };
  const std::vector<RuleSubject> subjects = rule_subjects(record);
  return std::any_of(subjects.begin(), subjects.end(), [&](const RuleSubject& subject) {
    if (cause && !matches_text(*cause, subject.cause)) return false;
    if (call && !any_text(*call, subject.calls)) return false;
    if (object && !any_text(*object, subject.objects)) return false;
    return !function || std::any_of(subject.stacks.begin(), subject.stacks.end(),
                                    [&](const auto* stack) { return any_frame(*function, stack); });
  });
}

std::optional<Rule> parse_rule(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) {
    throw BadRule("a zero byte in the line; give a text file");
  }
  Rule rule;
  bool empty = true;
  const std::string_view whole = line;
  for (skip_blanks(line); !line.empty() && line.front() != '#'; skip_blanks(line)) {
    add_word(rule, line);
    empty = false;
  }
  if (empty) return std::nullopt;
  if (rule.cause) check_cause(*rule.cause);
  std::string_view text = whole.substr(0, whole.size() - line.size());
  skip_blanks(text);
  while (is_blank(text.back())) text.remove_suffix(1);
  rule.text = text;
  return rule;
}

std::string exact_word(std::string_view key, std::string_view text) {
  std::string pattern;
  bool plain = true;
  for (const char c : utf8_prefix(text, kMatchedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      pattern += '?';
      continue;
    }
    plain = plain && c != ' ' && c != '"' && c != '\\';
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  if (plain) return fmt::format("{}={}", key, pattern);
  std::string quoted;
  for (const char c : pattern) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("{}=\"{}\"", key, quoted);
}

}  // namespace tailback
