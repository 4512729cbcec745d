// Debian's python3, asyncio.

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

// The system's own, whatever else PATH has.
constexpr char kPython[] = "/usr/bin/python3";

class PythonTest : public IntegrationTest {
 protected:
  void SetUp() override {
    if (access(kPython, X_OK) != 0) {
      GTEST_SKIP() << kPython << " is absent";
    }
  }

  WatchedProgram& start(const std::string& script, const std::vector<std::string>& arguments = {}) {
    WatchOptions options;
    options.command = {kPython, source_file("tests/integration/targets/python/" + script)};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return watch(options);
  }
};

TEST_F(PythonTest, AwaitedSleep_Silent) {
  EXPECT_TRUE(has_stalls(finished(start("await_sleep.py")), 0));
}

TEST_F(PythonTest, ThousandAwaitedSleeps_Silent) {
  EXPECT_TRUE(has_stalls(finished(start("thousand_sleeps.py")), 0));
}

TEST_F(PythonTest, TimeSleep_OneStall) {
  const Recording recording = finished(start("time_sleep.py"));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, 2000));
  EXPECT_EQ(stall["state"], "ended");
  EXPECT_EQ(stall["cause"], "sleep");
  EXPECT_EQ(stall["call"]["function"], "clock_nanosleep");
  EXPECT_EQ(stall["loop"]["wait"], "epoll_wait");
  EXPECT_TRUE(advises(stall, "await asyncio.sleep()")) << stall["advice"];
  EXPECT_TRUE(stack_has_module(stall, "python3")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "Py_RunMain")) << summary(stall);
  const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
  EXPECT_EQ(culprit["language"], "python");
  EXPECT_EQ(culprit["function"], "bad");
  EXPECT_EQ(culprit["file"],
            source_file("tests/integration/targets/python/time_sleep.py").string());
  EXPECT_EQ(culprit["line"], 8);
  EXPECT_EQ(stall["task"], "Task-1");
  EXPECT_TRUE(stall["stack_complete"].get<bool>()) << summary(stall);
}

TEST_F(PythonTest, TasksOneAfterAnother_Silent) {
  EXPECT_TRUE(has_no_stall_of_its_own(finished(start("many_callbacks.py", {"apart"}))));
}

TEST_F(PythonTest, TasksOfOneIteration_ReportedAsSeveral) {
  const Recording recording = finished(start("many_callbacks.py", {"together"}));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_GE(stall["duration_ms"].get<double>(), 360);
  EXPECT_TRUE(stall["task"].is_null()) << stall["task"];
  std::set<std::string> tasks;
  for (const Json& callback : stall["callbacks"]) {
    tasks.insert(callback["task"].get<std::string>());
    EXPECT_EQ(callback["entry"]["function"], "consumer") << callback;
  }
  EXPECT_GE(tasks.size(), 4u) << stall["callbacks"];
  EXPECT_EQ(tasks.size(), stall["callbacks"].size());
}

TEST_F(PythonTest, StallsBetweenTimers_Counted) {
  WatchedProgram& program = start("sleep_between_iterations.py", {"0.2", "5"});
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 5u);
  ASSERT_TRUE(has_stalls(recording, blocks.size()));
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Json stall = recording.final_stalls()[i];
    EXPECT_TRUE(lasts(stall, blocks[i].length_ms));
    EXPECT_EQ(stall["pid"], blocks[i].pid);
    EXPECT_EQ(stall["cause"], "sleep");
  }
}

TEST_F(PythonTest, PollAndSelectLoops_Reported) {
  for (const char* wait : {"poll", "select"}) {
    WatchedProgram& program = start("other_loops.py", {wait});
    const Recording recording = finished(program);
    ASSERT_TRUE(has_stalls(recording, 1)) << wait;
    const Json stall = recording.final_stalls()[0];
    EXPECT_TRUE(lasts(stall, announced_blocks(program).at(0).length_ms));
    EXPECT_EQ(stall["cause"], "sleep");
    EXPECT_EQ(stall["loop"]["wait"], wait);
    EXPECT_TRUE(stall["loop"]["fd"].is_null());
  }
}

TEST_F(PythonTest, LoopPerThread_EachReported) {
  WatchedProgram& program = start("other_loops.py", {"threads"});
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 3u);
  ASSERT_TRUE(has_stalls(recording, blocks.size()));
  std::set<int> threads;
  for (size_t i = 0; i < blocks.size(); ++i) {  // both in the order in which they ended
    const Json stall = recording.final_stalls()[i];
    EXPECT_TRUE(lasts(stall, blocks[i].length_ms));
    EXPECT_EQ(stall["cause"], "sleep");
    threads.insert(stall["tid"].get<int>());
  }
  EXPECT_EQ(threads.size(), blocks.size());
}

TEST_F(PythonTest, Computing_Cpu) {
  WatchedProgram& program = start("compute.py");
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, std::stod(program.announced("blocked"))));
  EXPECT_EQ(stall["cause"], "cpu");
  EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
  EXPECT_TRUE(stack_has_module(stall, "python3")) << summary(stall);
  EXPECT_GT(stall["samples"].get<int>(), 1);
  const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
  EXPECT_EQ(culprit["function"], "compute") << summary(stall);
  EXPECT_GE(culprit["line"].get<int>(), 8);
  EXPECT_LE(culprit["line"].get<int>(), 13);
}

TEST_F(PythonTest, GilHolder_Named) {
  WatchedProgram& program = start("gil.py");
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  double hogged_ms = 0;
  int line = 0;
  std::istringstream(program.announced("hogged")) >> hogged_ms >> line;
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "gil") << summary(stall);
  // Its slices are one wait; it begins when the loop comes back from its own wait, of 20 ms.
  EXPECT_GT(stall["duration_ms"].get<double>(), hogged_ms - 100);
  const Json& call = stall["call"];
  EXPECT_NE(call["object"].get<std::string>().find("(GIL), held by thread"), std::string::npos)
      << call;
  ASSERT_TRUE(call.contains("owner_stack")) << call;
  const Json& holder = call["owner_stack"][0];
  EXPECT_EQ(holder["function"], "hog");
  EXPECT_EQ(holder["line"], line);
  EXPECT_EQ(holder["language"], "python");
}

TEST_F(PythonTest, AppAndLibraryOptions_DecideCulprit) {
  WatchOptions options;
  options.command = {kPython, source_file("tests/integration/targets/python/time_sleep.py")};
  options.environment = {{"TAILBACK_OWN", "*/asyncio/events.py"}};
  const Recording recording = finished(watch(options));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["stack"][stall["culprit"].get<size_t>()]["function"], "bad");

  options.environment.emplace_back("TAILBACK_LIBRARY", "*/targets/python/*");
  const Recording other = finished(watch(options));
  ASSERT_TRUE(has_stalls(other, 1));
  const Json moved = other.final_stalls()[0];
  EXPECT_EQ(moved["stack"][moved["culprit"].get<size_t>()]["function"], "Handle._run");
}

// Python 3.7, where the machine has one: recognised, and its frames are not guessed at.
TEST_F(PythonTest, UnknownVersion_LimitSaidOnce) {
  const char* const home = std::getenv("HOME");
  const std::filesystem::path pyenv =
      std::filesystem::path(home != nullptr ? home : "/root") / ".pyenv/versions";
  std::string command;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(pyenv, error)) {
    if (entry.path().filename().string().starts_with("3.7."))
      command = entry.path() / "bin/python3";
  }
  if (command.empty()) GTEST_SKIP() << "no Python 3.7 below " << pyenv;
  WatchOptions options;
  options.command = {command,
                     source_file("tests/integration/targets/python/sleep_between_iterations.py"),
                     "0.2", "3"};
  const Recording recording = finished(watch(options));
  ASSERT_TRUE(has_stalls(recording, 3));
  size_t notes = 0;
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_TRUE(stack_has_function(stall, "_PyEval_EvalFrameDefault")) << summary(stall);
    for (const Json& note : stall["limits"])
      notes += note["text"].get<std::string>().starts_with("Python 3.7: ") ? 1 : 0;
  }
  EXPECT_EQ(notes, 1u);
}

// What the target says of a case: the frames that Python saw.
struct Expected {
  std::string name;
  Json frames;  // innermost first, each [function, file, line]
};

std::vector<Expected> expected_cases(const WatchedProgram& program) {
  std::vector<Expected> cases;
  std::istringstream lines(program.output());
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kMark = "expected ";
    if (!line.starts_with(kMark)) continue;
    const Json said = Json::parse(line.substr(kMark.size()));
    cases.push_back({said["case"], said["frames"]});
  }
  return cases;
}

Json python_frames(const Json& stall) {
  Json frames = Json::array();
  for (const Json& frame : stall["stack"]) {
    if (frame["language"] == "python")
      frames.push_back({frame["function"], frame["file"], frame["line"]});
  }
  return frames;
}

// Whether a frame of a module whose name begins so stands between Python frames.
bool has_native_between(const Json& stall, const std::string& module) {
  const Json& stack = stall["stack"];
  const auto is_python = [](const Json& frame) { return frame["language"] == "python"; };
  const auto first = std::find_if(stack.begin(), stack.end(), is_python);
  auto last = stack.end();
  while (last != first && !is_python(*std::prev(last))) --last;
  return std::any_of(first, last, [&](const Json& frame) {
    if (!frame["module"].is_string()) return false;
    const std::filesystem::path path = frame["module"].get<std::string>();
    return path.filename().string().starts_with(module);
  });
}

class PythonHandlersTest : public PythonTest {
 protected:
  // Runs the target and compares each of its blocked handlers with what is reported.
  void check(const std::vector<std::string>& arguments, size_t count) {
    WatchedProgram& program = start("handlers.py", arguments);
    const Recording recording = finished(program);
    const std::vector<Expected> cases = expected_cases(program);
    ASSERT_EQ(cases.size(), count);
    ASSERT_TRUE(has_stalls(recording, cases.size()));
    for (size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(cases[i].name);
      const Json stall = recording.final_stalls()[i];
      EXPECT_EQ(stall["cause"], "sleep");
      Json frames = cases[i].frames;
      const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
      EXPECT_EQ(culprit["function"], "block");
      EXPECT_EQ(culprit["file"],
                source_file("tests/integration/targets/python/handlers.py").string());
      EXPECT_EQ(culprit["line"], frames[0][2]);
      EXPECT_EQ(culprit["language"], "python");
      const Json seen = python_frames(stall);
      if (frames.size() > seen.size()) {  // cut
        EXPECT_FALSE(stall["stack_complete"].get<bool>());
        EXPECT_GT(seen.size(), 200u);
        frames.erase(frames.begin() + static_cast<ptrdiff_t>(seen.size()), frames.end());
      }
      EXPECT_EQ(seen, frames) << summary(stall);
      EXPECT_TRUE(stall["limits"].empty()) << stall["limits"];
      stalls_[cases[i].name] = stall;
    }
  }

  std::map<std::string, Json> stalls_;
};

TEST_F(PythonHandlersTest, Frames_EqualPythonsOwn) {
  check({}, 14);
  // C code between Python frames keeps its place.
  EXPECT_EQ(stalls_["by_await"]["task"], "Task-1");
  EXPECT_TRUE(has_native_between(stalls_["by_sorted"], "python3"));
  EXPECT_TRUE(has_native_between(stalls_["by_re"], "python3"));
  EXPECT_TRUE(has_native_between(stalls_["by_json"], "python3"));
  EXPECT_TRUE(has_native_between(stalls_["by_ctypes"], "libffi"));
  EXPECT_TRUE(has_native_between(stalls_["by_ctypes"], "libc"));
}

TEST_F(PythonHandlersTest, LoopInOtherThread_Reported) {
  check({"in_thread", "plain", "by_await"}, 2);
}

}  // namespace
}  // namespace tailback::test
