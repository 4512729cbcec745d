#include "runtime/command/demo_catalogue.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

namespace tailback {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The text of a line that is nothing but a comment.
std::optional<std::string_view> comment_in(std::string_view line, std::string_view mark) {
  line = trimmed(line);
  if (!line.starts_with(mark)) return std::nullopt;
  return trimmed(line.substr(mark.size()));
}

// What follows `word` at the beginning of a comment.
std::optional<std::string_view> after(std::string_view comment, std::string_view word) {
  if (!comment.starts_with(word)) return std::nullopt;
  return trimmed(comment.substr(word.size()));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// What must be reported may be so of one of the programs only: "of=NAME".
bool concerns(std::string_view report, std::string_view name) {
  const size_t at = report.find(" of=");
  if (at == std::string_view::npos) return true;
  const std::string_view of = report.substr(at + 4);
  return of.substr(0, of.find(' ')) == name;
}

void add_options(std::string_view text, int line, std::vector<DemoLine>& options) {
  while (!text.empty()) {
    const size_t end = text.find(' ');
    options.push_back({line, std::string(text.substr(0, end))});
    text = end == std::string_view::npos ? std::string_view() : trimmed(text.substr(end));
  }
}

}  // namespace

std::vector<Demo> parse_demos(std::string_view text, const std::filesystem::path& source) {
  const bool is_python = source.extension() == ".py";
  const std::string_view mark = is_python ? "#" : "//";
  std::vector<Demo> demos;
  std::vector<DemoLine> options;
  std::vector<DemoLine> expected;
  const std::vector<std::string_view> lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto comment = comment_in(lines[i], mark);
    if (!comment) continue;
    const int line = static_cast<int>(i) + 1;
    if (const auto told = after(*comment, "DEMO ")) {
      const size_t colon = told->find(": ");
      if (colon == std::string_view::npos) continue;
      demos.push_back({std::string(told->substr(0, colon)),
                       std::string(trimmed(told->substr(colon + 2))),
                       source,
                       is_python,
                       {},
                       {}});
    } else if (const auto given = after(*comment, "OPTIONS ")) {
      add_options(*given, line, options);
    } else if (const auto report = after(*comment, "EXPECT ")) {
      std::string words(*report);
      while (i + 1 < lines.size() && comment_in(lines[i + 1], mark)) {
        words += " " + std::string(*comment_in(lines[++i], mark));
      }
      expected.push_back({line, std::move(words)});
    }
  }
  for (Demo& demo : demos) {
    demo.options = options;
    std::copy_if(expected.begin(), expected.end(), std::back_inserter(demo.expected),
                 [&](const DemoLine& report) { return concerns(report.text, demo.name); });
  }
  return demos;
}

std::vector<Demo> read_demos(const std::filesystem::path& directory) {
  std::vector<Demo> demos;
  std::error_code error;
  const std::filesystem::recursive_directory_iterator end;
  for (std::filesystem::recursive_directory_iterator at(directory, error); !error && at != end;
       at.increment(error)) {
    const std::filesystem::path& path = at->path();
    if (path.extension() != ".cc" && path.extension() != ".py") continue;
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (Demo& demo : parse_demos(text, path)) demos.push_back(std::move(demo));
  }
  std::sort(demos.begin(), demos.end(),
            [](const Demo& a, const Demo& b) { return a.name < b.name; });
  return demos;
}

}  // namespace tailback
