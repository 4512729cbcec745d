#include "tests/hostile/three_ways.h"

#include <iostream>
#include <ostream>

#include "tests/integration/harness/eventually.h"
#include "tests/integration/harness/programs.h"

namespace tailback::test {
namespace {

const char* name_of(Way way) {
  switch (way) {
    case Way::kAlone:
      return "alone";
    case Way::kLaunched:
      return "launched";
    case Way::kPreloaded:
      return "preloaded";
  }
  return "?";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ":") + word;
  return text;
}

void append(std::vector<std::string>& words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, Way way) {
  return stream << name_of(way);
}

std::string hostile_program(const std::string& name) {
  return built_program("hostile/" + name).string();
}

std::string hostile_library(const std::string& name) {
  return built_program("hostile/libhostile_" + name + ".so").string();
}

std::filesystem::path ThreeWays::file(Way way, const std::string& name) const {
  return directory_.path() / (std::string(name_of(way)) + "." + name);
}

std::filesystem::path ThreeWays::work_directory(Way way) const {
  return directory_.path() / name_of(way);
}

ProcessOptions ThreeWays::options(const Subject& subject, Way way) const {
  ProcessOptions result;
  result.directory = work_directory(way);
  result.output = file(way, "out");
  result.errors = file(way, "err");
  result.environment = subject.environment;
  std::vector<std::string> preloads = subject.preloads;
  const std::string json = file(way, "jsonl");
  if (way == Way::kLaunched) {
    result.command = {tailback_binary(), "run",    "--quiet", "--threshold",
                      subject.threshold, "--json", json,      "--"};
  } else if (way == Way::kPreloaded) {
    preloads.insert(subject.ours_first ? preloads.begin() : preloads.end(), recorder_library());
    result.environment.insert(result.environment.end(), {{"TAILBACK_THRESHOLD", subject.threshold},
                                                         {"TAILBACK_JSON", json},
                                                         {"TAILBACK_QUIET", "1"}});
  }
  if (!preloads.empty()) result.environment.emplace_back("LD_PRELOAD", joined(preloads));
  append(result.command, subject.wrapper);
  result.command.push_back(hostile_program(subject.program));
  append(result.command, subject.arguments);
  return result;
}

std::string ThreeWays::command_line(const ProcessOptions& options) const {
  std::string line = "cd " + options.directory.string() + " &&";
  for (const auto& [variable, value] : options.environment) line += " " + variable + "=" + value;
  for (const std::string& word : options.command) {
    line += word.find_first_of(" $\"") == std::string::npos ? " " + word : " '" + word + "'";
  }
  return line;
}

Process ThreeWays::start(const Subject& subject, Way way) {
  const ProcessOptions settings = options(subject, way);
  for (const char* old : {"out", "err", "jsonl"}) std::filesystem::remove(file(way, old));
  std::filesystem::create_directories(settings.directory);
  // Also for programs that give their privileges away.
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(settings.directory, std::filesystem::perms(0777));
  commands_.push_back(command_line(settings));
  return Process(settings);
}

Seen ThreeWays::seen(const Subject& subject, Way way, Process& process) {
  const auto ending = process.wait(subject.patience);
  if (!ending) {
    ADD_FAILURE() << way << ": has not ended after " << subject.patience.count() << " s";
    process.signal(SIGKILL);
  } else {
    EXPECT_EQ(*ending, subject.ending) << way;
  }
  Seen result;
  result.output = file_text(file(way, "out"));
  result.errors = file_text(file(way, "err"));
  if (way != Way::kAlone) check_recording(subject, way, result);
  return result;
}

void ThreeWays::check_recording(const Subject& subject, Way way, Seen& seen) {
  const auto path = file(way, "jsonl");
  EXPECT_TRUE(
      eventually(std::chrono::seconds(20), [&] { return Recording::read(path).complete(); }))
      << way << ": the recording has no end record";
  seen.recording = Recording::read(path);
  for (const std::string& fault : seen.recording.faults()) {
    // A sample that could not be taken harms nobody.
    if (fault.find("tells of losses: samples") != std::string::npos) continue;
    const bool is_loss = fault.find("tells of losses") != std::string::npos;
    EXPECT_TRUE(is_loss && subject.keeps_losses) << way << ": " << fault;
  }
  const auto stalls = seen.recording.final_stalls();
  EXPECT_GE(stalls.size(), subject.stalls) << way << ": " << summary(stalls);
}

Seen ThreeWays::run(const Subject& subject, Way way) {
  Process process = start(subject, way);
  return seen(subject, way, process);
}

std::vector<Seen> ThreeWays::compare(const Subject& subject) {
  const Seen alone = run(subject, Way::kAlone);
  EXPECT_NE(alone.output.find("done\n"), std::string::npos) << alone.output << alone.errors;
  EXPECT_EQ(alone.output.find(": no\n"), std::string::npos) << alone.output;
  std::vector<Seen> watched;
  if (HasFailure()) return watched;
  for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
    watched.push_back(run(subject, way));
    EXPECT_EQ(watched.back().output, alone.output) << way;
    EXPECT_EQ(watched.back().errors, alone.errors) << way;
  }
  return watched;
}

void ThreeWays::TearDown() {
  if (!HasFailure()) return;
  directory_.keep();
  std::cerr << "  evidence kept in " << directory_.path().string() << "; it was run as\n";
  for (const std::string& command : commands_) std::cerr << "    " << command << "\n";
}

}  // namespace tailback::test
