#include "runtime/command/config_file.h"

#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "runtime/launch/launch_error.h"
#include "runtime/launch/quoted_text.h"
#include "runtime/report/terminal_escape.h"

// CLI11 reads such files too, but does not tell the line, and takes a # within quotes for a
// comment.
namespace tailback {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw LaunchError(kTailbackFailed, where + ": " + what);
}

const ObserverOption* option_of(std::string_view key) {
  if (key == "config") return nullptr;  // one file is enough
  const auto table = observer_option_table();
  const std::string flag = "--" + std::string(key);
  const auto option = std::find_if(table.begin(), table.end(),
                                   [&](const ObserverOption& one) { return one.is_called(flag); });
  return option == table.end() ? nullptr : &*option;
}

std::string known_keys() {
  std::string keys;
  for (const ObserverOption& option : observer_option_table()) {
    if (option_of(option.flag.substr(2)) == nullptr) continue;
    if (!keys.empty()) keys += ", ";
    keys += option.flag.substr(2);
  }
  return keys;
}

// A string in quotes, which begins `text`; what follows it is left there.
std::string take_string(std::string_view& text, const std::string& where) {
  const char quote = text.front();
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      text.remove_prefix(i + 1);
      return value;
    }
    if (quote == '"' && text[i] == '\\') {
      ++i;
      if (i == text.size() || (text[i] != '"' && text[i] != '\\')) {
        refuse(where, "after a backslash stands \" or \\; put the text in single quotes");
      }
    }
    value += text[i];
  }
  refuse(where, "the string is not closed; end it with its quote on the same line");
}

std::string value_of(std::string_view text, const std::string& where) {
  constexpr std::string_view kCure =
      "give a \"string\", a whole number, or true or false, on the same line";
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    std::string value = take_string(text, where);
    const std::string_view rest = trimmed(text);
    if (!rest.empty() && rest.front() != '#') {
      refuse(where, quoted_text(rest) + " follows the value; one value a line");
    }
    return value;
  }
  const std::string_view word = trimmed(text.substr(0, text.find('#')));
  const bool is_number = !word.empty() && std::all_of(word.begin(), word.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number && word != "true" && word != "false") {
    refuse(where, quoted_text(word) + ": not accepted; " + std::string(kCure));
  }
  return std::string(word);
}

void add_line(ConfigValues& values, std::string_view line, const std::string& place) {
  line = trimmed(line);
  if (line.empty() || line.front() == '#') return;
  if (line.front() == '[') {
    refuse(place,
           quoted_text(line) + ": tables are not read; begin the line with one of " + known_keys());
  }
  const size_t equals = line.find('=');
  const std::string_view key = trimmed(line.substr(0, equals));
  const ObserverOption* const option = option_of(key);
  if (option == nullptr) {
    refuse(place, quoted_text(key) + ": no such key; there are " + known_keys());
  }
  const std::string where = place + ": " + std::string(key);
  if (equals == std::string_view::npos) refuse(where, "no '=' after it; give key = value");
  const std::string flag(option->flag);
  const auto before = values.find(flag);
  if (before != values.end() && !option->is_list()) refuse(where, "given twice; keep one line");
  std::string value = value_of(trimmed(line.substr(equals + 1)), where);
  if (before != values.end()) value = before->second.value + "," + value;
  values[flag] = {value, where};
}

bool is_anothers(FILE* file) {
  struct stat status {};
  return fstat(fileno(file), &status) == 0 && status.st_uid != geteuid() && status.st_uid != 0;
}

}  // namespace

ConfigValues parse_config(std::string_view text, const std::string& name) {
  ConfigValues values;
  for (unsigned line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    add_line(values, text.substr(0, end), fmt::format("{}:{}", name, line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

ConfigValues read_config(const std::string& named) {
  const std::string path = named.empty() ? kConfigFile : named;
  const auto unreadable = [&](const std::string& why) {
    refuse(quoted_text(path), "the config file can't be read (" + why + "); give a text file");
  };
  // A FIFO of that name would keep us waiting for ever.
  std::error_code error;
  if (named.empty() && !std::filesystem::is_regular_file(path, error)) return {};
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) unreadable(std::strerror(errno));
  if (named.empty() && is_anothers(file.get())) {
    fmt::print(stderr, "tailback: ./{} is another user's and left alone; use it with --config {}\n",
               path, path);
    return {};
  }
  std::string text;
  char piece[16384];
  size_t size = 0;
  while ((size = std::fread(piece, 1, sizeof(piece), file.get())) > 0) {
    text.append(piece, size);
    if (text.size() > kMostBytes) unreadable("more than 1 MiB");
  }
  if (std::ferror(file.get()) != 0) unreadable(std::strerror(errno));
  return parse_config(text, escape_for_terminal(path, 4096));
}

}  // namespace tailback
