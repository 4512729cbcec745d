#include "tests/integration/harness/watched_program.h"

#include <sstream>
#include <stdexcept>

#include "tests/integration/harness/eventually.h"
#include "tests/integration/harness/programs.h"
#include "tests/integration/harness/test_directory.h"

namespace tailback::test {
namespace {

std::filesystem::path with_suffix(const std::filesystem::path& base, const char* suffix) {
  return base.string() + suffix;
}

ProcessOptions process_options(const std::filesystem::path& base, const WatchOptions& options) {
  ProcessOptions result;
  result.directory = base.parent_path();
  result.output = with_suffix(base, ".out");
  result.errors = with_suffix(base, ".err");
  result.environment = options.environment;
  result.cpu = options.cpu;
  result.nice = options.nice;
  const std::string json = with_suffix(base, ".jsonl");
  const std::string log = with_suffix(base, ".log");
  if (options.bare_preload) {
    result.command = options.command;
    result.environment.insert(result.environment.end(), {{"LD_PRELOAD", recorder_library()},
                                                         {"TAILBACK_THRESHOLD", options.threshold},
                                                         {"TAILBACK_JSON", json},
                                                         {"TAILBACK_LOG", log}});
  } else {
    result.command = {tailback_binary(),
                      options.subcommand,
                      "--threshold",
                      options.threshold,
                      "--json",
                      json,
                      "--log",
                      log,
                      "--"};
    result.command.insert(result.command.end(), options.command.begin(), options.command.end());
  }
  return result;
}

std::string quoted_text(const std::string& word) {
  return word.find_first_of(" '\"$;&|<>()*?\n") == std::string::npos ? word : "'" + word + "'";
}

std::string shell_line(const ProcessOptions& options) {
  std::string line = "cd " + quoted_text(options.directory) + " &&";
  for (const auto& [variable, value] : options.environment) {
    line += " " + variable + "=" + quoted_text(value);
  }
  for (const std::string& word : options.command) {
    line += " " + quoted_text(word);
  }
  return line;
}

}  // namespace

WatchedProgram::WatchedProgram(const std::filesystem::path& directory, const std::string& name,
                               const WatchOptions& options)
    : base_(directory / name),
      recording_(with_suffix(base_, ".jsonl")),
      command_line_(shell_line(process_options(base_, options))),
      process_(process_options(base_, options)) {}

std::string WatchedProgram::output() const {
  return file_text(with_suffix(base_, ".out"));
}

std::string WatchedProgram::errors() const {
  return file_text(with_suffix(base_, ".err"));
}

std::string WatchedProgram::text_report() const {
  return file_text(with_suffix(base_, ".log"));
}

std::string WatchedProgram::announced(const std::string& word,
                                      std::chrono::milliseconds patience) const {
  std::string found;
  const bool there = eventually(patience, [&] {
    std::istringstream lines(output());
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
      if (line.starts_with(word + " ")) {
        found = line.substr(word.size() + 1);
        return true;
      }
    }
    return false;
  });
  if (!there) {
    throw std::runtime_error("the program did not say \"" + word + " …\"; it said \"" + output() +
                             "\" and \"" + errors() + "\"");
  }
  return found;
}

uint16_t WatchedProgram::port(std::chrono::milliseconds patience) const {
  return static_cast<uint16_t>(std::stoi(announced("port", patience)));
}

std::vector<Block> announced_blocks(const WatchedProgram& program) {
  std::vector<Block> blocks;
  std::istringstream lines(program.output());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    Block block{};
    if (words >> word >> block.pid >> block.length_ms && word == "blocked") {
      blocks.push_back(block);
    }
  }
  return blocks;
}

}  // namespace tailback::test
