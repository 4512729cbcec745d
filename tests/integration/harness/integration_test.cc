#include "tests/integration/harness/integration_test.h"

#include <iostream>

namespace tailback::test {
namespace {

constexpr size_t kExcerpt = 4000;

void print_excerpt(const char* what, const std::string& text) {
  if (!text.empty()) {
    const size_t begin = text.size() > kExcerpt ? text.size() - kExcerpt : 0;
    std::cerr << "  " << what << ":\n" << text.substr(begin) << "\n";
  }
}

std::string own_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::string own_filter() {
  const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
  return std::string(info->test_suite_name()) + "." + info->name();
}

}  // namespace

WatchedProgram& IntegrationTest::watch(const WatchOptions& options) {
  const std::string name = "watched-" + std::to_string(programs_.size() + 1);
  programs_.push_back(std::make_unique<WatchedProgram>(directory_.path(), name, options));
  return *programs_.back();
}

Process IntegrationTest::run_helper(const std::string& name,
                                    std::vector<std::string> command) const {
  ProcessOptions options;
  options.command = std::move(command);
  options.directory = directory_.path();
  options.output = directory_.path() / (name + ".out");
  options.errors = directory_.path() / (name + ".err");
  return Process(options);
}

Recording IntegrationTest::finished(WatchedProgram& program, const Ending& expected,
                                    Milliseconds patience) {
  const std::optional<Ending> ending = program.process().wait(patience);
  if (!ending) {
    ADD_FAILURE() << "the program has not ended after " << patience.count() << " ms";
    return program.recording();
  }
  EXPECT_EQ(*ending, expected);
  EXPECT_TRUE(eventually(patience, [&] { return program.recording().complete(); }))
      << "the recording has no end record: " << program.recording_path();
  Recording recording = program.recording();
  if (!deadlocks_expected_) {
    for (const Json& deadlock : recording.deadlocks()) ADD_FAILURE() << deadlock.dump(1);
  }
  for (const std::string& fault : recording.faults()) {
    ADD_FAILURE() << program.recording_path().string() << ": " << fault;
  }
  return recording;
}

void IntegrationTest::TearDown() {
  if (!HasFailure()) {
    return;
  }
  directory_.keep();
  std::cerr << "  evidence kept in " << directory_.path().string() << "\n";
  for (const auto& program : programs_) {
    std::cerr << "  the program was run as\n    " << program->command_line() << "\n";
    print_excerpt("its standard output", program->output());
    print_excerpt("standard error", program->errors());
    print_excerpt("the text report", program->text_report());
  }
  std::cerr << "  run this test again with\n    " << own_program() << " --gtest_filter='"
            << own_filter() << "'\n";
}

::testing::AssertionResult has_stalls(const Recording& recording, size_t count) {
  const std::vector<Json> stalls = recording.final_stalls();
  if (stalls.size() == count) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << "expected " << count << " stalls, recorded " << summary(stalls);
}

std::vector<Json> own_stalls(const Recording& recording) {
  std::vector<Json> stalls = recording.final_stalls();
  std::erase_if(stalls, [](const Json& stall) { return stall["cause"] == "run-queue-wait"; });
  return stalls;
}

::testing::AssertionResult has_no_stall_of_its_own(const Recording& recording) {
  const std::vector<Json> stalls = own_stalls(recording);
  if (stalls.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "recorded " << summary(stalls);
}

::testing::AssertionResult matches(const Expectation& expected, const Json& stall) {
  const std::vector<std::string> found = differences(expected, stall);
  if (found.empty()) {
    return ::testing::AssertionSuccess();
  }
  ::testing::AssertionResult result = ::testing::AssertionFailure();
  result << expected.place << " is not met:\n";
  for (const std::string& difference : found) {
    result << "  " << difference << "\n";
  }
  return result << summary(stall);
}

::testing::AssertionResult lasts(const Json& stall, double true_ms) {
  const double reported = stall.value("duration_ms", 0.0);
  if (length_is(reported, true_ms)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << "reported as " << reported << " ms, took " << true_ms << " ms\n"
         << summary(stall);
}

}  // namespace tailback::test
