// Each recording of what detectors read, through the detectors, the analyzers and the text reporter
// again: the text must be what is expected beside it. tests/replays/README.md says more.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/observations/observation_file.h"
#include "runtime/observer/replay.h"
#include "runtime/report/blocking_call_summing_reporter.h"
#include "runtime/report/text_reporter.h"

namespace tailback {
namespace {

const std::filesystem::path& folder() {
  static const std::filesystem::path path = TAILBACK_SOURCE_DIR "/tests/replays/recordings";
  return path;
}

// "sleep" for "sleep.jsonl.gz".
std::vector<std::string> recordings() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    const std::string file = entry.path().filename().string();
    const size_t end = file.find(".jsonl");
    if (end != std::string::npos) names.push_back(file.substr(0, end));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string replayed(const std::string& name) {
  setenv("TZ", "UTC", 1);
  std::filesystem::path path = folder() / (name + ".jsonl");
  if (!std::filesystem::exists(path)) path += ".gz";
  const Observations observations = read_observations(path.string());
  std::string written =
      ::testing::TempDir() + "tailback-replay-" + name + "-" + std::to_string(getpid());
  {
    TextReporter::Options options;
    options.file = written;
    TextReporter text(options);
    BlockingCallSummingReporter reporter(text);
    replay(observations, reporter);
  }
  std::string report = content(written);
  std::filesystem::remove(written);
  return report;
}

// The lines that only one of the two has.
std::string difference(const std::string& expected, const std::string& actual) {
  std::istringstream one(expected);
  std::istringstream other(actual);
  std::string text;
  for (std::string a, b;;) {
    const bool has_a = static_cast<bool>(std::getline(one, a));
    const bool has_b = static_cast<bool>(std::getline(other, b));
    if (!has_a && !has_b) return text;
    if (has_a && has_b && a == b) continue;
    if (has_a) text += "- " + a + "\n";
    if (has_b) text += "+ " + b + "\n";
  }
}

class Replay : public ::testing::TestWithParam<std::string> {};

TEST_P(Replay, Recording_GivesTheExpectedReport) {
  const std::filesystem::path expected = folder() / (GetParam() + ".expected");
  const std::string report = replayed(GetParam());
  if (std::getenv("TAILBACK_WRITE")) {
    std::ofstream(expected) << report;
    return;
  }
  EXPECT_TRUE(content(expected) == report)
      << difference(content(expected), report)
      << "If the new report is the better one, write it down and review the change:\n"
         "  TAILBACK_WRITE=1 build/bin/replay_test --gtest_filter='*/"
      << GetParam() << "'";
}

std::string test_name(const ::testing::TestParamInfo<std::string>& recording) {
  std::string name = recording.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Recordings, Replay, ::testing::ValuesIn(recordings()), test_name);

TEST(Replays, SameRecordingTwice_SameReport) {
  ASSERT_FALSE(recordings().empty());
  const std::string name = recordings().front();
  EXPECT_EQ(replayed(name), replayed(name));
}

}  // namespace
}  // namespace tailback
