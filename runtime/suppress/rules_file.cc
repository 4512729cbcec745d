#include "runtime/suppress/rules_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;
constexpr size_t kPathColumns = 4096;

}  // namespace

std::vector<Rule> parse_rules(std::string_view text, const std::string& name) {
  std::vector<Rule> rules;
  unsigned line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    ++line;
    try {
      if (auto rule = parse_rule(text.substr(0, end))) {
        rule->file = name;
        rule->line = line;
        rules.push_back(std::move(*rule));
      }
    } catch (const BadRule& bad) {
      throw RulesFileError(
          fmt::format("{}:{}: {}", escape_for_terminal(name, kPathColumns), line, bad.what()));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rules;
}

std::vector<Rule> read_rules(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    throw RulesFileError(fmt::format("{}: the suppressions can't be read ({}); give a text file",
                                     escape_for_terminal(path, kPathColumns), why));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) refuse(std::strerror(errno));
  std::string text;
  char piece[65536];
  size_t size = 0;
  while ((size = std::fread(piece, 1, sizeof(piece), file.get())) > 0) {
    text.append(piece, size);
    if (text.size() > kMostBytes) refuse("more than 16 MiB");
  }
  if (std::ferror(file.get()) != 0) refuse(std::strerror(errno));
  return parse_rules(text, path);
}

}  // namespace tailback
