// `tailback demo`, from the build tree and from an installed one.

#include <algorithm>
#include <sstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

struct Result {
  Ending ending;
  std::string output;
  std::string errors;
};

class DemoCommandTest : public IntegrationTest {
 protected:
  Result run(const std::filesystem::path& tailback, std::vector<std::string> arguments,
             std::vector<std::pair<std::string, std::string>> environment = {}) {
    ProcessOptions options;
    options.command = {tailback, "demo"};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    options.environment = std::move(environment);
    options.directory = directory().path();
    options.output = directory().path() / "out";
    options.errors = directory().path() / "err";
    for (const auto& file : {options.output, options.errors}) std::filesystem::remove(file);
    Process process(options);
    const std::optional<Ending> ending = process.wait(std::chrono::seconds(60));
    EXPECT_TRUE(ending.has_value()) << "tailback has not ended";
    return {ending.value_or(Ending{}), file_text(options.output), file_text(options.errors)};
  }

  Result demo(std::vector<std::string> arguments) {
    return run(tailback_binary(), std::move(arguments));
  }

  void expect_error(const Result& result, int status, const std::string& words) {
    EXPECT_EQ(result.ending, exited(status));
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(std::count(result.errors.begin(), result.errors.end(), '\n'), 1) << result.errors;
    EXPECT_TRUE(result.errors.starts_with("tailback: ")) << result.errors;
    EXPECT_NE(result.errors.find(words), std::string::npos) << result.errors;
  }

  // What `cmake --install` makes, as far as the demo needs it.
  std::filesystem::path install(const std::string& program, const std::string& source) {
    namespace fs = std::filesystem;
    const fs::path prefix = directory().path() / "prefix";
    const fs::path demos = prefix / "libexec/tailback/demos";
    const fs::path sources = prefix / "share/tailback/demos" / fs::path(source).parent_path();
    for (const fs::path& folder : {prefix / "bin", prefix / "lib", demos, sources}) {
      fs::create_directories(folder);
    }
    fs::copy(tailback_binary(), prefix / "bin/tailback");
    fs::copy(recorder_library(), prefix / "lib/libtailback.so");
    if (!program.empty()) fs::copy(built_program(program), demos / program);
    fs::copy(source_file("demos/" + source), sources);
    return prefix / "bin/tailback";
  }
};

TEST_F(DemoCommandTest, List_EachDemoOnce) {
  const Result result = demo({"--list"});
  EXPECT_EQ(result.ending, exited(0));
  EXPECT_EQ(result.errors, "");
  EXPECT_NE(result.output.find("\nblocking_in_loop "), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("\npython/blocking_handler "), std::string::npos) << result.output;
  std::istringstream lines(result.output);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    names.push_back(line.substr(0, line.find(' ')));
    EXPECT_GT(line.size(), names.back().size() + 10) << line;
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST_F(DemoCommandTest, Run_PrintsExpectedReport) {
  const Result result = demo({"lock_order"});
  EXPECT_EQ(result.ending, exited(0));
  EXPECT_EQ(result.output, "");
  const size_t expected = result.errors.find("lock-order function=audit");
  const size_t report = result.errors.find("lock-order inversion: ");
  ASSERT_NE(expected, std::string::npos) << result.errors;
  ASSERT_NE(report, std::string::npos) << result.errors;
  EXPECT_LT(expected, report);
  EXPECT_NE(result.errors.find("demos/locks/lock_order.cc"), std::string::npos) << result.errors;
}

TEST_F(DemoCommandTest, RunOptions_Accepted) {
  const Result result = demo({"--quiet", "--json", "-", "safe_counter_plain"});
  EXPECT_EQ(result.ending, exited(0));
  EXPECT_EQ(result.errors, "");
  EXPECT_NE(result.output.find("\"type\":\"end\""), std::string::npos) << result.output;
}

TEST_F(DemoCommandTest, UnknownName_OneLineError) {
  expect_error(demo({"no_such_demo"}), 125, "'no_such_demo': no such demo");
  expect_error(demo({}), 125, "which demo?");
}

TEST_F(DemoCommandTest, InstalledTree_Runs) {
  const Result result = run(install("lock_order", "locks/lock_order.cc"), {"lock_order"});
  EXPECT_EQ(result.ending, exited(125));  // libtailback-free-hooks.so was left out here
  const std::filesystem::path tailback = directory().path() / "prefix/bin/tailback";
  std::filesystem::copy(recorder_library().parent_path() / "libtailback-free-hooks.so",
                        directory().path() / "prefix/lib");
  const Result again = run(tailback, {"lock_order"});
  EXPECT_EQ(again.ending, exited(0)) << again.errors;
  EXPECT_NE(again.errors.find("prefix/share/tailback/demos/locks/lock_order.cc"), std::string::npos)
      << again.errors;
  EXPECT_NE(again.errors.find("prefix/libexec/tailback/demos/lock_order"), std::string::npos);
  EXPECT_NE(again.errors.find("1 lock-order inversion"), std::string::npos) << again.errors;
}

TEST_F(DemoCommandTest, MissingProgram_OneLineError) {
  const std::filesystem::path tailback = install("", "locks/lock_order.cc");
  expect_error(run(tailback, {"lock_order"}), 127, "is not built");
  std::filesystem::remove_all(directory().path() / "prefix/share");
  expect_error(run(tailback, {"lock_order"}), 125, "no demos there");
}

TEST_F(DemoCommandTest, MissingPython_OneLineError) {
  expect_error(run(tailback_binary(), {"python/blocking_handler"}, {{"PATH", "/nonexistent"}}), 127,
               "python3 can't be run");
}

}  // namespace
}  // namespace tailback::test
