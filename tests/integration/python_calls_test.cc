// Every call that can hold up an asyncio loop, each made to really wait within a coroutine, and the
// table that says so: BLOCKING_PYTHON_CALLS.md, which is these tests' own result.

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr char kPython[] = "/usr/bin/python3";
constexpr char kTable[] = "tests/integration/BLOCKING_PYTHON_CALLS.md";
constexpr char kHead[] =
    "# Calls that hold up an asyncio loop\n"
    "\n"
    "Each is made to really wait within a coroutine, by Debian's python3, and reported once, with\n"
    "the line of the coroutine that makes it. The test that does so (`python_calls_test.cc`, with\n"
    "`targets/python/calls`) holds this page against what it found, and writes it "
    "when\n"
    "`TAILBACK_TEST_WRITE_TABLE` is set. The slow file system is `targets/slow_files.cc`.\n"
    "\n"
    "| Python's call | waits for | reported as | in | its line |\n"
    "|---|---|---|---|---|\n";

class PythonCallsTest : public IntegrationTest {
 protected:
  void SetUp() override {
    if (access(kPython, X_OK) != 0) GTEST_SKIP() << kPython << " is absent";
    if (access(built_program("slow_files").c_str(), X_OK) != 0) {
      GTEST_SKIP() << "libfuse was absent when the tests were built";
    }
    std::filesystem::create_directories(slow_);
    std::filesystem::create_directory(backing_);
    files_.emplace(run_helper("slow_files", {built_program("slow_files"), slow_, backing_}));
    const bool serves = eventually(std::chrono::seconds(10), [&] {
      return !file_text(directory().path() / "slow_files.out").empty() || !files_->running();
    });
    if (!serves || !files_->running()) {
      GTEST_SKIP() << "no file system can be mounted here: "
                   << file_text(directory().path() / "slow_files.err");
    }
  }

  void TearDown() override {
    IntegrationTest::TearDown();
    if (!files_) return;
    files_->signal(SIGTERM);
    EXPECT_TRUE(files_->wait(std::chrono::seconds(20)));
  }

  WatchedProgram& start() {
    WatchOptions options;
    options.environment = {{"PYTHONDONTWRITEBYTECODE", "1"}};
    options.command = {kPython,
                       source_file("tests/integration/targets/python/calls/blocking_calls.py"),
                       directory().path(), slow_, backing_};
    return watch(options);
  }

  // Longer than the other, so that a path can be too long here and not there.
  std::string slow_ = directory().path() / ("slow-" + std::string(240, 'w'));
  std::string backing_ = directory().path() / "fast";
  std::optional<Process> files_;
};

std::vector<Json> said(const WatchedProgram& program) {
  std::vector<Json> cases;
  std::istringstream lines(program.output());
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kMark = "expected ";
    if (line.starts_with(kMark)) cases.push_back(Json::parse(line.substr(kMark.size())));
  }
  return cases;
}

std::string row(const Json& made, const Json& stall) {
  const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
  const Json& blamed = made["frames"][0];
  const bool is_exact = culprit["language"] == "python" && culprit["function"] == blamed[0] &&
                        culprit["file"] == blamed[1] && culprit["line"] == blamed[2];
  std::ostringstream text;
  text << "| `" << made["case"].get<std::string>() << "` | " << made["waits_for"].get<std::string>()
       << " | " << stall["cause"].get<std::string>() << " | `"
       << stall["call"].value("function", "") << "` | " << (is_exact ? "exact" : "NOT") << " |\n";
  return text.str();
}

// It keeps its owner: the thread is named, with what it runs.
void expect_owner(const Json& stall) {
  const Json& call = stall["call"];
  EXPECT_NE(call["object"].get<std::string>().find(", held by thread python3 ("), std::string::npos)
      << call;
  ASSERT_TRUE(call.contains("owner_stack")) << call;
  EXPECT_EQ(call["owner_stack"][0]["function"], "rlock_acquire.<locals>.keep") << call;
  EXPECT_EQ(call["owner_stack"][0]["language"], "python");
}

TEST_F(PythonCallsTest, EachBlockingCall_ReportedWithLine) {
  WatchedProgram& program = start();
  const Recording recording = finished(program, exited(0), std::chrono::seconds(110));
  const std::vector<Json> made = said(program);
  ASSERT_GE(made.size(), 50u);
  const std::vector<Json> stalls = recording.final_stalls();
  ASSERT_TRUE(has_stalls(recording, made.size()));
  std::string table = kHead;
  for (size_t i = 0; i < made.size(); ++i) {
    SCOPED_TRACE(made[i]["case"]);
    ASSERT_TRUE(stalls[i]["call"].is_object() && stalls[i]["culprit"].is_number())
        << summary(stalls[i]);
    EXPECT_GE(stalls[i]["duration_ms"].get<double>(), 240);
    EXPECT_TRUE(stalls[i]["task"].is_string());
    const std::string text = row(made[i], stalls[i]);
    EXPECT_TRUE(text.ends_with("| exact |\n")) << text << summary(stalls[i]);
    const Json& object = stalls[i]["call"]["object"];
    if (stalls[i]["cause"] == "file" && stalls[i]["call"]["function"] != "getcwd") {
      EXPECT_TRUE(object.is_string() && object.get<std::string>().starts_with(slow_)) << object;
    }
    if (made[i]["case"] == "threading.RLock.acquire") expect_owner(stalls[i]);
    table += text;
  }
  const std::filesystem::path path = source_file(kTable);
  if (std::getenv("TAILBACK_TEST_WRITE_TABLE") != nullptr) std::ofstream(path) << table;
  EXPECT_EQ(file_text(path), table) << "run it with TAILBACK_TEST_WRITE_TABLE=1, and look at it";
}

}  // namespace
}  // namespace tailback::test
