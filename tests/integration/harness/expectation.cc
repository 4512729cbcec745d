#include "tests/integration/harness/expectation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>

#include "tests/integration/harness/recording.h"
#include "tests/integration/harness/test_directory.h"

namespace tailback::test {
namespace {

constexpr std::string_view kMark = "EXPECT ";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// The text of a line that is nothing but a comment.
std::optional<std::string_view> comment(std::string_view line) {
  line = trimmed(line);
  // Of C++ and of Python.
  for (const std::string_view mark : {"//", "# "}) {
    if (line.starts_with(mark)) {
      return trimmed(line.substr(mark.size()));
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string> alternatives(std::string_view text) {
  std::vector<std::string> result;
  for (const std::string_view part : split(text, '|')) {
    result.emplace_back(part);
  }
  return result;
}

template <typename Number>
Number number(std::string_view text, const std::string& place) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::runtime_error(place + ": \"" + std::string(text) + "\" is no number");
  }
  return value;
}

// One `name=value` or `name="value with blanks"`, taken from the front of the text.
std::pair<std::string_view, std::string_view> take_word(std::string_view& text,
                                                        const std::string& place) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos ||
      text.substr(0, equals).find(' ') != std::string_view::npos) {
    throw std::runtime_error(place + ": expected name=value at \"" + std::string(text) + "\"");
  }
  const std::string_view name = text.substr(0, equals);
  text.remove_prefix(equals + 1);
  const bool quoted = text.starts_with('"');
  if (quoted) {
    text.remove_prefix(1);
  }
  const size_t end = text.find(quoted ? '"' : ' ');
  if (quoted && end == std::string_view::npos) {
    throw std::runtime_error(place + ": a quote is not closed");
  }
  const std::string_view value = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : trimmed(text.substr(end + 1));
  return {name, value};
}

void read_lines(Expectation& expected, std::string_view value, int comment_end) {
  const size_t dots = value.find("..");
  if (dots == std::string_view::npos || !value.starts_with('+') ||
      !value.substr(dots + 2).starts_with('+')) {
    throw std::runtime_error(expected.place + ": lines are given as +N..+M");
  }
  expected.first_line = comment_end + number<int>(value.substr(1, dots - 1), expected.place);
  expected.last_line = comment_end + number<int>(value.substr(dots + 3), expected.place);
}

void read_word(Expectation& expected, std::string_view name, std::string_view value,
               int comment_end) {
  if (name == "of") {
    expected.of = value;
  } else if (name == "on") {
    expected.on = value;
  } else if (name == "cause") {
    expected.causes = alternatives(value);
  } else if (name == "call") {
    expected.calls = alternatives(value);
  } else if (name == "object") {
    expected.objects = alternatives(value);
  } else if (name == "function") {
    expected.function = value;
  } else if (name == "length_ms") {
    expected.length_ms = number<int>(value, expected.place);
  } else if (name == "pending_events") {
    expected.pending_events = number<uint64_t>(value, expected.place);
  } else if (name == "lines") {
    read_lines(expected, value, comment_end);
  } else if (name == "contributor") {
    const std::vector<std::string_view> parts = split(value, '*');
    expected.contributor = parts.front();
    expected.contributor_count = number<uint64_t>(parts.back(), expected.place);
  } else {
    throw std::runtime_error(expected.place + ": unknown word \"" + std::string(name) + "\"");
  }
}

Expectation parse_one(std::string_view text, const std::string& file, int line, int comment_end) {
  static const std::map<std::string_view, Expectation::Kind> kKinds = {
      {"stall", Expectation::Kind::kStall},
      {"stuck", Expectation::Kind::kStuck},
      {"race", Expectation::Kind::kRace},
      {"deadlock", Expectation::Kind::kDeadlock},
      {"lock-order", Expectation::Kind::kLockOrder},
      {"never-awaited", Expectation::Kind::kNeverAwaited},
      {"nothing", Expectation::Kind::kNothing},
  };
  Expectation expected;
  expected.place = file + ":" + std::to_string(line);
  expected.file = file;
  expected.first_line = expected.last_line = comment_end + 1;
  const std::string_view kind = text.substr(0, text.find(' '));
  const auto found = kKinds.find(kind);
  if (found == kKinds.end()) {
    throw std::runtime_error(expected.place +
                             ": expected stall, stuck, race, deadlock, lock-order, "
                             "never-awaited or nothing");
  }
  expected.kind = found->second;
  text = trimmed(text.substr(kind.size()));
  while (!text.empty()) {
    const auto [name, value] = take_word(text, expected.place);
    read_word(expected, name, value, comment_end);
  }
  const bool of_a_loop =
      expected.kind == Expectation::Kind::kStall || expected.kind == Expectation::Kind::kStuck;
  if (of_a_loop && expected.causes.empty()) {
    throw std::runtime_error(expected.place + ": a cause must be given");
  }
  if (expected.kind != Expectation::Kind::kNothing && expected.function.empty()) {
    throw std::runtime_error(expected.place + ": a function must be given");
  }
  return expected;
}

bool any_of(const std::vector<std::string>& wanted, const std::string& actual) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), actual) != wanted.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : "|") + word;
  }
  return text;
}

void compare_call(const Expectation& expected, const Json& stall,
                  std::vector<std::string>& differences) {
  const Json& call = stall["call"];
  const std::string function = call.is_object() ? call.value("function", "") : "none";
  if (!any_of(expected.calls, function)) {
    differences.push_back("call is " + function + ", not " + joined(expected.calls));
  }
  const std::string object =
      call.is_object() && call["object"].is_string() ? call["object"].get<std::string>() : "";
  const bool named =
      expected.objects.empty() ||
      std::any_of(expected.objects.begin(), expected.objects.end(),
                  [&](const std::string& part) { return object.find(part) != std::string::npos; });
  if (!named) {
    differences.push_back("object is \"" + object + "\", without \"" + joined(expected.objects) +
                          "\"");
  }
}

void compare_contributor(const Expectation& expected, const Json& stall,
                         std::vector<std::string>& differences) {
  if (expected.contributor.empty()) {
    return;
  }
  const Json contributors = stall.value("contributors", Json::array());
  const bool found =
      std::any_of(contributors.begin(), contributors.end(), [&](const Json& contributor) {
        return contributor.value("function", "") == expected.contributor &&
               contributor.value("count", uint64_t{0}) == expected.contributor_count;
      });
  if (!found) {
    differences.push_back("no contributor " + expected.contributor + " × " +
                          std::to_string(expected.contributor_count) + " in " +
                          contributors.dump());
  }
}

const Json* blamed_frame(const Json& stall) {
  const Json& index = stall["culprit"];
  if (!index.is_number_unsigned() || index.get<size_t>() >= stall["stack"].size()) {
    return nullptr;
  }
  return &stall["stack"][index.get<size_t>()];
}

void compare_line(const Expectation& expected, const Json& stall,
                  std::vector<std::string>& differences) {
  const Json* blamed = blamed_frame(stall);
  if (blamed == nullptr) {
    differences.emplace_back("no frame is blamed");
    return;
  }
  const Json& frame = *blamed;
  const std::string file = frame["file"].is_string() ? frame["file"].get<std::string>() : "";
  const int line = frame["line"].is_number() ? frame["line"].get<int>() : 0;
  if (std::filesystem::path(file).filename() != expected.file || line < expected.first_line ||
      line > expected.last_line) {
    differences.push_back("the blamed line is " + file + ":" + std::to_string(line) + ", not " +
                          expected.file + ":" + std::to_string(expected.first_line) + ".." +
                          std::to_string(expected.last_line));
  }
}

void compare_culprit(const Expectation& expected, const Json& stall,
                     std::vector<std::string>& differences) {
  const Json* blamed = blamed_frame(stall);
  if (blamed != nullptr && !function_is(*blamed, expected.function)) {
    differences.push_back("the blamed function is " + (*blamed)["function"].dump() + ", not " +
                          expected.function);
  }
  compare_line(expected, stall, differences);
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Expectation& expectation) {
  return stream << expectation.place;
}

std::vector<Expectation> read_expectations(const std::filesystem::path& source) {
  const std::string text = file_text(source);
  if (text.empty()) {
    throw std::runtime_error(source.string() + ": missing or empty");
  }
  return parse_expectations(text, source.filename().string());
}

std::vector<Expectation> parse_expectations(std::string_view text, const std::string& file) {
  std::vector<Expectation> result;
  const std::vector<std::string_view> lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::optional<std::string_view> first = comment(lines[i]);
    if (!first || !first->starts_with(kMark)) {
      continue;
    }
    const int line = static_cast<int>(i) + 1;
    std::string words(first->substr(kMark.size()));
    while (i + 1 < lines.size() && comment(lines[i + 1])) {
      words += " " + std::string(*comment(lines[++i]));
    }
    result.push_back(parse_one(words, file, line, static_cast<int>(i) + 1));
  }
  return result;
}

std::vector<std::string> differences(const Expectation& expected, const Json& stall) {
  std::vector<std::string> result;
  const std::string cause = stall.value("cause", "");
  if (!any_of(expected.causes, cause)) {
    result.push_back("cause is " + cause + ", not " + joined(expected.causes));
  }
  compare_call(expected, stall, result);
  compare_contributor(expected, stall, result);
  compare_culprit(expected, stall, result);
  if (expected.pending_events && stall["pending_events"] != *expected.pending_events) {
    result.push_back("the pending_events is " + stall["pending_events"].dump() + ", not " +
                     std::to_string(*expected.pending_events));
  }
  return result;
}

std::vector<std::string> differences_in_places(const std::vector<Expectation>& expected,
                                               const Json& stacks) {
  std::vector<std::string> result;
  std::vector<bool> met(expected.size(), false);
  for (const Json& stack : stacks) {
    std::vector<std::string> all;
    bool is_expected = false;
    for (size_t i = 0; i < expected.size(); ++i) {
      std::vector<std::string> own;
      compare_culprit(expected[i], stack, own);
      if (own.empty()) {
        is_expected = met[i] = true;
      }
      all.insert(all.end(), own.begin(), own.end());
    }
    if (!is_expected) {
      result.insert(result.end(), all.begin(), all.end());
      result.push_back("in " + stack.dump());
    }
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!met[i]) {
      result.push_back("nothing is reported at " + expected[i].place);
    }
  }
  return result;
}

std::vector<std::string> differences_in_coroutine(const Expectation& expected,
                                                  const Json& never_awaited) {
  std::vector<std::string> result;
  if (!function_is(Json{{"function", never_awaited["coroutine"]}}, expected.function)) {
    result.push_back("the coroutine is " + never_awaited["coroutine"].dump() + ", not " +
                     expected.function);
  }
  const size_t before = result.size();
  compare_line(expected, never_awaited, result);
  if (result.size() > before) {
    result.push_back("in " + never_awaited.dump());
  }
  return result;
}

bool length_is(double reported_ms, double true_ms) {
  return std::abs(reported_ms - true_ms) <= 5 + true_ms / 100;
}

}  // namespace tailback::test
