#include "runtime/launch/script.h"

#include <vector>

namespace tailback {
namespace {

constexpr size_t kKernelLooksAt = 256;
constexpr std::string_view kBlank = " \t";

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = without_blanks(text)).empty()) {
    const size_t end = text.find_first_of(kBlank);
    words.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end);
  }
  return words;
}

// The rest of "-S…", "-vS…" or "--split-string=…"; nothing if `argument` is none of them.
std::optional<std::string_view> split_string(std::string_view argument) {
  constexpr std::string_view kLong = "--split-string=";
  if (argument.substr(0, kLong.size()) == kLong) return argument.substr(kLong.size());
  if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return std::nullopt;
  const size_t at = argument.find('S');
  const bool only_flags = argument.substr(1, at - 1).find_first_not_of("iv0") == argument.npos;
  if (at == std::string_view::npos || !only_flags) return std::nullopt;
  return argument.substr(at + 1);
}

}  // namespace

std::optional<Shebang> parse_shebang(std::string_view beginning) {
  beginning = beginning.substr(0, kKernelLooksAt);
  if (beginning.substr(0, 2) != "#!") return std::nullopt;
  std::string_view line = beginning.substr(2);
  line = without_blanks(line.substr(0, line.find_first_of(std::string_view("\n\0", 2))));
  if (line.empty()) return std::nullopt;
  const size_t end = line.find_first_of(kBlank);
  Shebang shebang;
  shebang.interpreter = line.substr(0, end);
  if (end != std::string_view::npos) shebang.argument = without_blanks(line.substr(end));
  return shebang;
}

EnvArgument parse_env_argument(std::string_view argument) {
  EnvArgument result;
  std::vector<std::string_view> words = {argument};
  if (const auto rest = split_string(argument)) {
    const std::string_view flags = argument.substr(0, argument.size() - rest->size());
    result.clears_environment = flags[1] != '-' && flags.find('i') != std::string_view::npos;
    words = words_of(*rest);
  }
  bool skip_next = false;
  for (const std::string_view word : words) {
    if (skip_next) {
      skip_next = false;
    } else if (word == "-i" || word == "-" || word == "--ignore-environment") {
      result.clears_environment = true;
    } else if (word == "-u" || word == "--unset" || word == "-C" || word == "--chdir") {
      skip_next = true;
    } else if (word.substr(0, 1) == "-" || word.find('=') != std::string_view::npos) {
      continue;
    } else {
      // Quotes, escapes and variables are env's business; such a program is left to it.
      if (word.find_first_of("\"'\\$") == std::string_view::npos) result.program = word;
      break;
    }
  }
  return result;
}

}  // namespace tailback
