// The fixture of every integration test: a private directory, programs watched in it, and, if the
// test fails, the evidence with the commands that run it again.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/harness/eventually.h"
#include "tests/integration/harness/expectation.h"
#include "tests/integration/harness/process.h"
#include "tests/integration/harness/programs.h"
#include "tests/integration/harness/recording.h"
#include "tests/integration/harness/test_directory.h"
#include "tests/integration/harness/watched_program.h"

namespace tailback::test {

class IntegrationTest : public ::testing::Test {
 protected:
  // Starts a program under Tailback. It lives until the test ends.
  WatchedProgram& watch(const WatchOptions& options);

  // Starts a helper program beside it, in the test's directory; its output is kept as NAME.out.
  Process run_helper(const std::string& name, std::vector<std::string> command) const;

  // Waits for the program's end and for the end of its recording, and checks how it ended and that
  // the recording breaks no law. Gives what was recorded.
  Recording finished(WatchedProgram& program, const Ending& expected = exited(0),
                     Milliseconds patience = std::chrono::seconds(30));

  // Unless a test says so, each deadlock that finished() finds is a failure.
  void expect_deadlocks() { deadlocks_expected_ = true; }

  const TestDirectory& directory() const { return directory_; }

  void TearDown() override;

 private:
  TestDirectory directory_;
  bool deadlocks_expected_ = false;
  std::vector<std::unique_ptr<WatchedProgram>> programs_;
};

// Fails the test unless the recording has this many stalls (final lines).
::testing::AssertionResult has_stalls(const Recording& recording, size_t count);

// The final stalls less those for want of a CPU: on a machine that others keep busy a healthy loop
// is late too, which is reported, and is no fault of the program.
std::vector<Json> own_stalls(const Recording& recording);
::testing::AssertionResult has_no_stall_of_its_own(const Recording& recording);

// Fails the test for each difference between a stall and what is expected of it.
::testing::AssertionResult matches(const Expectation& expected, const Json& stall);

// Fails the test unless the reported length is the true one, within 5 ms and 1 %.
::testing::AssertionResult lasts(const Json& stall, double true_ms);

}  // namespace tailback::test
