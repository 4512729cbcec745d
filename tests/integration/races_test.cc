// What ThreadSanitizer finds in programs that are compiled for it: in our records, and left as it
// is in the program's own output.
#include <cstdlib>
#include <fstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr const char* kSource = "tests/integration/targets/races/races.cc";

int line_of(const std::string& text) {
  std::ifstream source(source_file(kSource));
  std::string line;
  for (int number = 1; std::getline(source, line); ++number) {
    if (line.find(text) != std::string::npos) return number;
  }
  return 0;
}

// By the program: races (a shared runtime; the preload is enough), races_static and races_clang
// (the runtime is in the program, with the pairing library), races_unpaired and
// races_clang_unpaired (without it: what ThreadSanitizer prints is read).
class RacesTest : public IntegrationTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(built_program(GetParam()))) {
      GTEST_SKIP() << GetParam() << " was not built: its compiler or its runtime is absent";
    }
  }

  static bool is_unpaired() { return std::string(GetParam()).ends_with("unpaired"); }

  // How a program ends whose findings ThreadSanitizer printed.
  static constexpr int kFound = 66;

  WatchOptions options(const std::string& mode) {
    WatchOptions options;
    options.command = {built_program(GetParam()), mode};
    // ThreadSanitizer's map of memory has no room for addresses that are too random.
    if (std::system("setarch -R true 2>/dev/null") == 0) {
      options.command.insert(options.command.begin(), {"setarch", "-R"});
    }
    if (is_unpaired()) options.environment = {{"TAILBACK_THREAD_SANITIZER_TEXT", "1"}};
    return options;
  }
  Recording run(const std::string& mode, int status = kFound) {
    return finished(watch(options(mode)), exited(status), std::chrono::seconds(60));
  }

  static std::vector<Json> of_type(const Recording& recording, const std::string& type) {
    std::vector<Json> found;
    for (const Json& line : recording.lines()) {
      if (line["type"] == type) found.push_back(line);
    }
    return found;
  }
  static Json only(const Recording& recording, const std::string& type) {
    const std::vector<Json> found = of_type(recording, type);
    EXPECT_EQ(found.size(), 1u) << type;
    return found.empty() ? Json::object() : found.front();
  }

  static void expect_at(const Json& at, const std::string& function, const std::string& text) {
    ASSERT_TRUE(at.is_object() && !at["culprit"].is_null()) << at;
    const Json& frame = at["stack"][at["culprit"].get<size_t>()];
    EXPECT_TRUE(function_is(frame, function)) << frame;
    EXPECT_TRUE(frame["file"].is_string() && frame["file"].get<std::string>().ends_with("races.cc"))
        << frame;
    EXPECT_EQ(frame["line"], line_of(text)) << frame;
  }
};

TEST_P(RacesTest, CorrectPrograms_Silent) {
  for (const char* mode : {"mutex", "atomic"}) {
    const Recording recording = run(mode, 0);
    EXPECT_TRUE(of_type(recording, "race").empty()) << mode;
    EXPECT_EQ(recording.end()["counts"]["race"]["reported"], 0) << mode;
  }
}

TEST_P(RacesTest, Race_BothAccessesNamed) {
  const Recording recording = run("counter");
  const Json race = only(recording, "race");
  EXPECT_EQ(race["kind"], "data-race");
  EXPECT_EQ(race["process"].get<std::string>().substr(0, 5), "races");
  ASSERT_EQ(race["accesses"].size(), 2u);
  bool writes = false;
  for (const Json& access : race["accesses"]) {
    EXPECT_EQ(access["size"], 4);
    EXPECT_FALSE(access["atomic"].get<bool>());
    writes |= access["write"].get<bool>();
    expect_at(access["at"], "increment", "// unprotected");
  }
  EXPECT_TRUE(writes);
  EXPECT_EQ(race["location"]["kind"], "global");
  EXPECT_NE(race["location"]["name"].get<std::string>().find("counter"), std::string::npos);
  size_t racers = 0;
  for (const Json& thread : race["threads"]) {
    if (thread["id"] == 0) continue;
    ++racers;
    EXPECT_EQ(thread["name"], "racer");
    EXPECT_GT(thread["tid"].get<int>(), 0);
    EXPECT_EQ(thread["parent"], 0);
    const Json& created = thread["created"];
    ASSERT_TRUE(created.is_object() && !created["culprit"].is_null()) << thread;
    EXPECT_TRUE(function_is(created["stack"][created["culprit"].get<size_t>()], "run_two"))
        << created;
  }
  EXPECT_EQ(racers, 2u);
  EXPECT_NE(race["advice"].get<std::string>().find("counter"), std::string::npos);
  EXPECT_EQ(recording.end()["counts"]["race"]["reported"], 1);
  EXPECT_EQ(recording.end()["counts"]["race"]["lost"], 0);
}

TEST_P(RacesTest, Inversion_ReportedAsLockOrder) {
  const Json order = only(run("order"), "lock-order");
  EXPECT_EQ(order["found_by"], "ThreadSanitizer");
  ASSERT_EQ(order["locks"].size(), 2u);
  std::vector<std::string> names;
  for (const Json& lock : order["locks"]) names.push_back(lock["name"].get<std::string>());
  std::sort(names.begin(), names.end());
  EXPECT_NE(names[0].find("left_mutex"), std::string::npos);
  EXPECT_NE(names[1].find("right_mutex"), std::string::npos);
  ASSERT_EQ(order["steps"].size(), 2u);
  for (const Json& step : order["steps"]) {
    EXPECT_NE(step["held"], step["taken"]);
    EXPECT_GT(step["tid"].get<int>(), 0);
    expect_at(step, "take_both", "// the second");
  }
}

// ... and its stacks stay the program's where the recorder notes the order of locks itself.
TEST_P(RacesTest, InversionWithLockOrder_StacksKept) {
  WatchOptions options = this->options("order");
  options.environment.emplace_back("TAILBACK_LOCK_ORDER", "1");
  const Recording recording = finished(watch(options), exited(kFound), std::chrono::seconds(60));
  size_t of_thread_sanitizer = 0;
  for (const Json& order : of_type(recording, "lock-order")) {
    if (order["found_by"] != "ThreadSanitizer") continue;
    ++of_thread_sanitizer;
    ASSERT_EQ(order["steps"].size(), 2u);
    for (const Json& step : order["steps"]) expect_at(step, "take_both", "// the second");
  }
  EXPECT_EQ(of_thread_sanitizer, 1u);
}

TEST_P(RacesTest, UseAfterFree_Reported) {
  const Json race = only(run("freed"), "race");
  EXPECT_EQ(race["kind"], "heap-use-after-free");
  ASSERT_GE(race["accesses"].size(), 2u);
  bool used = false;
  bool freed = false;
  for (const Json& access : race["accesses"]) {
    for (const Json& frame : access["at"]["stack"]) {
      used |= function_is(frame, "use") && frame["line"] == line_of("// used");
      freed |= function_is(frame, "releaser");
    }
  }
  EXPECT_TRUE(used) << race["accesses"];
  EXPECT_TRUE(freed) << race["accesses"];
}

TEST_P(RacesTest, OtherKinds_Reported) {
  EXPECT_EQ(only(run("leak"), "thread-leak")["kind"], "thread-leak");
  EXPECT_EQ(only(run("signal"), "signal-unsafe")["kind"], "signal-unsafe-call");
  EXPECT_EQ(only(run("unlock"), "mutex-misuse")["kind"], "mutex-bad-unlock");
}

// As many as ThreadSanitizer itself prints: two, if no access of theirs escaped it.
TEST_P(RacesTest, SeveralAtOnce_AllReported) {
  WatchedProgram& program = watch(options("pairs"));
  const Recording recording = finished(program, exited(kFound));
  const std::string errors = program.errors();
  size_t printed = 0;
  for (size_t at = 0; (at = errors.find("WARNING: ThreadSanitizer", at)) != std::string::npos;
       ++at) {
    ++printed;
  }
  const Json& counts = recording.end()["counts"]["race"];
  EXPECT_GE(printed, 1u);
  EXPECT_EQ(counts["reported"].get<size_t>() + counts["repeated"].get<size_t>(), printed);
  EXPECT_EQ(of_type(recording, "race").size(), counts["reported"]);
  EXPECT_EQ(counts["lost"], 0);
}

// As deep as ThreadSanitizer itself keeps.
TEST_P(RacesTest, DeepStacks_Read) {
  const Json race = only(run("deep"), "race");
  ASSERT_FALSE(race["accesses"].empty());
  for (const Json& access : race["accesses"]) {
    // Of the earlier one it may have forgotten all.
    if (access != race["accesses"][0] && access["at"]["stack"].empty()) continue;
    EXPECT_GE(access["at"]["stack"].size(), 200u);
    expect_at(access["at"], "increment", "// unprotected");
  }
}

TEST_P(RacesTest, HaltOnError_NothingLost) {
  WatchOptions halting = options("counter");
  halting.environment.emplace_back("TSAN_OPTIONS", "halt_on_error=1");
  const Recording recording = finished(watch(halting), exited(kFound));
  expect_at(only(recording, "race")["accesses"][0]["at"], "increment", "// unprotected");
}

// The same code in each child: told once, counted.
TEST_P(RacesTest, ForkedChildren_Reported) {
  const Recording recording = run("children", 0);
  EXPECT_EQ(of_type(recording, "race").size(), 1u);
  EXPECT_EQ(recording.end()["counts"]["race"]["reported"].get<int>() +
                recording.end()["counts"]["race"]["repeated"].get<int>(),
            3);
}

TEST_P(RacesTest, StallAndRace_BothReported) {
  const Recording recording = run("stall");
  EXPECT_EQ(of_type(recording, "race").size(), 1u);
  const std::vector<Json> stalls = own_stalls(recording);
  ASSERT_EQ(stalls.size(), 1u) << summary(stalls);
  EXPECT_EQ(stalls[0]["cause"], "sleep");
  expect_at(stalls[0], "stall_and_race", "// in the loop");
}

TEST_P(RacesTest, FailOn_StatusSet) {
  WatchOptions failing = options("counter");
  failing.environment.emplace_back("TAILBACK_FAIL_ON", "race");
  failing.environment.emplace_back("TAILBACK_EXITCODE", "7");
  finished(watch(failing), exited(7));
}

TEST_P(RacesTest, Suppressed_NotReported) {
  const std::filesystem::path rules = directory().path() / "known.supp";
  std::ofstream(rules) << "cause=race function=*increment* object=*counter*\n";
  WatchOptions suppressed = options("counter");
  suppressed.environment.emplace_back("TAILBACK_SUPPRESSIONS", rules);
  suppressed.environment.emplace_back("TAILBACK_FAIL_ON", "race");
  const Recording recording = finished(watch(suppressed), exited(kFound));
  EXPECT_TRUE(of_type(recording, "race").empty());
  EXPECT_EQ(recording.end()["counts"]["race"]["suppressed"], 1);
  EXPECT_EQ(recording.end()["counts"]["race"]["reported"], 0);
}

// Whatever the way of the findings, the program's own output is as ever.
TEST_P(RacesTest, SanitizerOutput_Untouched) {
  WatchedProgram& program = watch(options("counter"));
  finished(program, exited(kFound));
  const std::string errors = program.errors();
  for (const char* part :
       {"==================\nWARNING: ThreadSanitizer: data race (pid=", "Location is global ",
        "SUMMARY: ThreadSanitizer: data race ", "\nThreadSanitizer: reported 1 warnings\n"}) {
    EXPECT_NE(errors.find(part), std::string::npos) << part << " in\n" << errors;
  }
}

// A log that the program was told to write is read without being asked, and stays.
TEST_P(RacesTest, OwnLogPath_Read) {
  WatchOptions logging = options("counter");
  const std::filesystem::path log = directory().path() / "own log";
  logging.environment = {{"TSAN_OPTIONS", "log_path='" + log.string() + "' report_bugs=1"}};
  WatchedProgram& program = watch(logging);
  const Recording recording = finished(program, exited(kFound));
  expect_at(only(recording, "race")["accesses"][0]["at"], "increment", "// unprotected");
  EXPECT_EQ(program.errors().find("WARNING: ThreadSanitizer"), std::string::npos);
  size_t logs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory().path())) {
    logs += entry.path().filename().string().starts_with("own log.") ? 1 : 0;
  }
  EXPECT_EQ(logs, 1u);
}

TEST_P(RacesTest, UnpairedWithoutOption_NotRead) {
  if (!is_unpaired()) GTEST_SKIP() << "is paired";
  WatchOptions unasked = options("counter");
  unasked.environment.clear();
  WatchedProgram& program = watch(unasked);
  const Recording recording = finished(program, exited(kFound));
  EXPECT_TRUE(of_type(recording, "race").empty());
  EXPECT_NE(program.errors().find("WARNING: ThreadSanitizer"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Builds, RacesTest,
                         ::testing::Values("races", "races_static", "races_clang", "races_unpaired",
                                           "races_clang_unpaired"),
                         [](const auto& build) { return build.param; });

}  // namespace
}  // namespace tailback::test
