// Programs of interpreters and libraries that wait in ways of their own: silent while they are
// healthy; what blocks their loops is reported once.

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

struct Program {
  std::string name;
  // Fails if what the program needs is absent; `package` has it.
  std::vector<std::string> check;
  std::string package;
  // A file of targets/interpreters is named by "@".
  std::vector<std::string> command;
  std::string cause = {};     // of the only stall; empty: any
  std::string function = {};  // on its stack
};

std::ostream& operator<<(std::ostream& stream, const Program& program) {
  return stream << program.name;
}

const std::string kPython = "/usr/bin/python3";
const std::vector<std::string> kHasPython = {kPython, "--version"};
const std::vector<std::string> kHasTwisted = {kPython, "-c", "import twisted"};
const std::vector<std::string> kHasEventMachine = {"ruby", "-reventmachine", "-e", "1"};
const std::vector<std::string> kHasGio = {"test", "-x", built_program("gio_waits")};

std::vector<Program> healthy() {
  const std::string within = "@waits_within.py";
  return {
      {"asyncio_poll", kHasPython, "python3", {kPython, within, "poll", "none"}},
      {"asyncio_select", kHasPython, "python3", {kPython, within, "select", "none"}},
      {"twisted", kHasTwisted, "python3-twisted", {kPython, within, "twisted", "none"}},
      {"grpc_client",
       {kPython, "-c", "import grpc"},
       "python3-grpcio",
       {kPython, "@grpc_client.py"}},
      {"perl_select",
       {"perl", "-MIO::Select", "-e1"},
       "perl",
       {"perl", "@waits_within.pl", "none"}},
      {"gio", kHasGio, "libglib2.0-dev", {built_program("gio_waits"), "healthy"}},
      {"ruby_sleeps", {"ruby", "-e", "1"}, "ruby", {"ruby", "@sleeps.rb"}},
      {"eventmachine",
       kHasEventMachine,
       "ruby-eventmachine",
       {"ruby", "@polled_epoll.rb", "healthy"}},
      {"racket", {"racket", "--version"}, "racket", {"racket", "@echo.rkt"}},
      {"erlang",
       {"erl", "-noshell", "-eval", "halt()."},
       "erlang-base",
       {"erl", "-noshell", "-eval", "timer:sleep(3000), halt()."}},
      {"ghc", {"ghc", "--version"}, "ghc", {"./threads"}},
  };
}

std::vector<Program> blocked() {
  const std::string within = "@waits_within.py";
  return {
      {"asyncio_poll_runs_child",
       kHasPython,
       "python3",
       {kPython, within, "poll", "run"},
       "process",
       "slow_lookup"},
      {"asyncio_select_selects",
       kHasPython,
       "python3",
       {kPython, within, "select", "select"},
       "ipc",
       "slow_lookup"},
      {"twisted_runs_child",
       kHasTwisted,
       "python3-twisted",
       {kPython, within, "twisted", "run"},
       "process",
       "slow_lookup"},
      {"perl_selects",
       {"perl", "-MIO::Select", "-e1"},
       "perl",
       {"perl", "@waits_within.pl", "select"},
       "ipc"},
      {"gio_communicates",
       kHasGio,
       "libglib2.0-dev",
       {built_program("gio_waits"), "communicate"},
       "process",
       "convert_by_child"},
      {"gio_waits",
       kHasGio,
       "libglib2.0-dev",
       {built_program("gio_waits"), "wait"},
       "process",
       "convert_by_child"},
      {"eventmachine_sleeps",
       kHasEventMachine,
       "ruby-eventmachine",
       {"ruby", "@polled_epoll.rb", "sleep"}},
  };
}

class InterpreterLoopsTest : public IntegrationTest, public ::testing::WithParamInterface<Program> {
 protected:
  void SetUp() override {
    Process check = run_helper("check", GetParam().check);
    if (check.wait(std::chrono::seconds(30)) != exited(0)) {
      GTEST_SKIP() << "the package " << GetParam().package << " is absent";
    }
  }

  static std::string target(const std::string& name) {
    return source_file("tests/integration/targets/interpreters/" + name);
  }

  WatchedProgram& start() {
    WatchOptions options;
    options.environment = {{"PYTHONDONTWRITEBYTECODE", "1"}};
    for (const std::string& word : GetParam().command) {
      options.command.push_back(word.starts_with('@') ? target(word.substr(1)) : word);
    }
    return watch(options);
  }

  void compile_threads() {
    std::filesystem::copy(target("threads.hs"), directory().path());
    Process compiler = run_helper("ghc", {"ghc", "-v0", "-threaded", "threads.hs"});
    ASSERT_EQ(compiler.wait(std::chrono::seconds(60)), exited(0));
  }
};

class HealthyInterpreter : public InterpreterLoopsTest {};

TEST_P(HealthyInterpreter, LongPauses_Silent) {
  if (GetParam().name == "ghc") compile_threads();
  EXPECT_TRUE(has_no_stall_of_its_own(finished(start())));
}

INSTANTIATE_TEST_SUITE_P(Programs, HealthyInterpreter, ::testing::ValuesIn(healthy()),
                         [](const auto& program) { return program.param.name; });

class BlockedInterpreter : public InterpreterLoopsTest {};

TEST_P(BlockedInterpreter, OneCallback_OneStall) {
  if (GetParam().command.back() == "select" && system_calls_are_filtered()) {
    GTEST_SKIP() << "a filter of system calls is in force";
  }
  WatchedProgram& program = start();
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  const double length = announced_blocks(program).at(0).length_ms;
  EXPECT_GE(stall["duration_ms"].get<double>(), length - 1);
  EXPECT_LT(stall["duration_ms"].get<double>(), length + 100);
  if (!GetParam().cause.empty()) {
    EXPECT_EQ(stall["cause"], GetParam().cause) << summary(stall);
  }
  if (!GetParam().function.empty()) {
    EXPECT_TRUE(stack_has_function(stall, GetParam().function)) << summary(stall);
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, BlockedInterpreter, ::testing::ValuesIn(blocked()),
                         [](const auto& program) { return program.param.name; });

}  // namespace
}  // namespace tailback::test
