// What `tailback advise` says of programs of every kind of concurrency: those with nothing wrong
// first, then each mistake with the answer that everybody is taught.
#include <signal.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

enum class Language { kNative, kPython };

// A program, what slows it down, the model that fits, and whether it has to be changed. A demo is
// added by one line.
struct Expected {
  Language language;
  // A built program, or a script of targets/advise or, with a folder, of the source tree; then its
  // arguments.
  const char* program;
  const char* limit;
  const char* model;
  bool change;
  const char* finding = "";  // that stands in it
};

void PrintTo(const Expected& expected, std::ostream* stream) {
  *stream << expected.program;
}

constexpr Expected kExpected[] = {
    // Nothing wrong.
    {Language::kNative, "models idle", "nothing", "event-loop", false},
    {Language::kNative, "models event_loop", "io", "event-loop", false, "1000 descriptors"},
    {Language::kNative, "models pool", "io", "threads", false, "10 operations"},
    {Language::kNative, "models one_wait", "io", "none", false, "1 operation"},
    {Language::kNative, "models parallel", "cpu", "threads", false},
    {Language::kNative, "models processes", "cpu", "processes", false},
    {Language::kPython, "models pool", "io", "threads", false, "10 operations"},
    {Language::kPython, "models event_loop", "io", "event-loop", false, "descriptors"},
    {Language::kPython, "models event_loop_timers", "nothing", "event-loop", false},
    {Language::kPython, "models process_pool", "cpu", "processes", false},
    {Language::kNative, "timer_in_loop", "nothing", "event-loop", false},
    // What is.
    {Language::kNative, "blocking_in_loop", "blocked-loop", "event-loop", true, "bad"},
    {Language::kPython, "demos/python/blocking_handler", "blocked-loop", "event-loop", true,
     "look_up_price"},
    {Language::kNative, "models sequence", "sequential-io", "threads", true},
    {Language::kNative, "models many", "io", "event-loop", true, "operations under way"},
    {Language::kNative, "models single", "cpu", "threads", true},
    {Language::kNative, "models crowd", "no-cpu", "threads", true, "on 1 CPU"},
    {Language::kNative, "models contended", "lock", "threads", true},
    {Language::kNative, "models spawning", "spawning", "threads", true, "short-lived processes"},
    {Language::kNative, "models blocked_loop", "blocked-loop", "event-loop", true, "load_config"},
    {Language::kPython, "models sequence", "sequential-io", "threads", true},
    {Language::kPython, "models client", "sequential-io", "threads", true},
    {Language::kPython, "models single", "cpu", "processes", true},
    {Language::kPython, "models gil", "gil", "processes", true},
    {Language::kPython, "models contended", "lock", "threads", true},
    {Language::kPython, "models spawning", "spawning", "threads", true, "short-lived processes"},
    {Language::kPython, "models blocked_loop", "blocked-loop", "event-loop", true, "fetch_badly"},
};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

class AdviseTest : public IntegrationTest {
 protected:
  WatchedProgram& advise(std::vector<std::string> command) {
    WatchOptions options;
    options.subcommand = "advise";
    options.command = std::move(command);
    return watch(options);
  }

  static std::vector<std::string> command_of(Language language, const std::string& program) {
    std::vector<std::string> words = words_of(program);
    if (language == Language::kNative) {
      words[0] = built_program(words[0]);
    } else {
      const bool has_folder = words[0].find('/') != std::string::npos;
      words[0] =
          source_file((has_folder ? "" : "tests/integration/targets/advise/") + words[0] + ".py");
      // Not one of the wrappers that start a dozen programs first.
      const bool is_installed = std::filesystem::exists("/usr/bin/python3");
      words.insert(words.begin(), is_installed ? "/usr/bin/python3" : "python3");
    }
    return words;
  }

  // The one assessment of a recording; it stands before the end.
  static Json assessment(const Recording& recording) {
    std::vector<Json> found;
    for (const Json& line : recording.lines()) {
      if (line["type"] == "assessment") found.push_back(line);
    }
    EXPECT_EQ(found.size(), 1u);
    const auto& lines = recording.lines();
    EXPECT_TRUE(lines.size() >= 2 && lines[lines.size() - 2]["type"] == "assessment");
    return found.empty() ? Json() : found.front();
  }

  // What holds of every assessment's figures.
  static void expect_sound(const Json& measured) {
    double program = 0;
    for (const auto& [name, time] : measured["program"].items()) program += time.get<double>();
    EXPECT_NEAR(program, measured["duration_ms"].get<double>(), 1) << measured;
    const Json& flight = measured["in_flight"];
    EXPECT_LE(flight["p50"], flight["p90"]);
    EXPECT_LE(flight["p90"], flight["most"]);
    EXPECT_LE(flight["most"], measured["most_threads"]);
    EXPECT_LE(measured["most_threads"], measured["threads_seen"]);
    EXPECT_FALSE(measured["incomplete"].get<bool>());
  }
};

class AdviseEach : public AdviseTest, public ::testing::WithParamInterface<Expected> {};

TEST_P(AdviseEach, Program_ExpectedVerdict) {
  const Expected& expected = GetParam();
  if (expected.language == Language::kPython) TAILBACK_NEEDS("python3");
  const std::vector<std::string> command = command_of(expected.language, expected.program);
  if (!std::filesystem::exists(command[0])) GTEST_SKIP() << command[0] << " is not built";
  WatchedProgram& program = advise(command);
  const Recording recording = finished(program, exited(0), std::chrono::seconds(90));
  const Json found = assessment(recording);
  EXPECT_EQ(found["limit"], expected.limit) << found.dump(1);
  EXPECT_EQ(found["model"], expected.model) << found.dump(1);
  EXPECT_EQ(found["change"], expected.change) << found.dump(1);
  EXPECT_NE(found["finding"].get<std::string>().find(expected.finding), std::string::npos)
      << found["finding"];
  EXPECT_NE(program.text_report().find(found["finding"].get<std::string>()), std::string::npos);
  expect_sound(found["measured"]);
}

std::string name_of(const ::testing::TestParamInfo<Expected>& info) {
  std::string name = info.param.language == Language::kNative ? "Native" : "Python";
  for (const char c : std::string(info.param.program)) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Programs, AdviseEach, ::testing::ValuesIn(kExpected), name_of);

TEST_F(AdviseTest, IdleServer_NothingWrong) {
  TAILBACK_NEEDS("redis-server");
  WatchedProgram& program = advise({"redis-server", "--port", "0", "--unixsocket",
                                    (directory().path() / "socket").string(), "--save", ""});
  std::this_thread::sleep_for(std::chrono::seconds(4));
  EXPECT_TRUE(program.process().running());
  program.process().signal(SIGTERM);
  const Json found = assessment(finished(program));
  EXPECT_EQ(found["limit"], "nothing") << found.dump(1);
  EXPECT_EQ(found["model"], "event-loop");
  EXPECT_FALSE(found["change"].get<bool>());
  EXPECT_EQ(found["confidence"], "high") << found["doubts"];
}

TEST_F(AdviseTest, ShortProgram_NothingKnown) {
  const Json found = assessment(finished(advise({built_program("models"), "brief"})));
  EXPECT_EQ(found["limit"], "unknown");
  EXPECT_EQ(found["confidence"], "low");
  EXPECT_FALSE(found["doubts"].empty());
}

TEST_F(AdviseTest, KnownProgram_FiguresMatch) {
  const Json pool = assessment(finished(advise({built_program("models"), "pool"})));
  const Json& measured = pool["measured"];
  // Ten threads of a second each, and the one that waits for them.
  EXPECT_EQ(measured["threads_seen"], 11);
  EXPECT_EQ(measured["most_threads"], 11);
  EXPECT_EQ(measured["in_flight"]["most"], 10);
  EXPECT_EQ(measured["in_flight"]["operations"], 10);
  const double asleep = measured["threads"]["blocked_ms"]["sleep"];
  EXPECT_GE(asleep, 9500);
  EXPECT_LE(asleep, 20000);
  EXPECT_GE(measured["stack_threads"], 4);
  EXPECT_GE(measured["stack_bytes"], 4096);
}

TEST_F(AdviseTest, SeveralProcesses_AllCounted) {
  const Json found = assessment(finished(advise({built_program("models"), "spawning"})));
  const Json& measured = found["measured"];
  EXPECT_EQ(measured["processes_seen"], 121);
  EXPECT_EQ(measured["spawning"]["ended"], 120);
  EXPECT_GE(measured["spawning"]["short_lived"], 60);
  // Each computes for 10 ms on a CPU.
  EXPECT_GE(measured["spawning"]["median_life_ms"], 9);
}

TEST_F(AdviseTest, Quiet_KeepsStatusPrintsNothing) {
  ProcessOptions options;
  options.command = {tailback_binary(), "advise", "--quiet", "--", "/bin/sh", "-c", "exit 7"};
  options.errors = directory().path() / "errors";
  Process process(options);
  EXPECT_EQ(process.wait(std::chrono::seconds(30)), exited(7));
  EXPECT_EQ(file_text(options.errors), "");
}

TEST_F(AdviseTest, NoCommand_Usage) {
  ProcessOptions options;
  options.command = {tailback_binary(), "advise"};
  options.errors = directory().path() / "errors";
  Process process(options);
  EXPECT_EQ(process.wait(std::chrono::seconds(30)), exited(125));
  EXPECT_NE(file_text(options.errors).find("tailback advise -- CMD"), std::string::npos);
}

TEST_F(AdviseTest, LocksOption_NamesLock) {
  WatchOptions options;
  options.subcommand = "advise";
  options.command = {built_program("models"), "contended"};
  options.environment = {{"TAILBACK_LOCKS", "1"}};
  const Json found = assessment(finished(watch(options)));
  EXPECT_EQ(found["limit"], "lock");
  EXPECT_NE(found["finding"].get<std::string>().find("journal"), std::string::npos) << found;
}

}  // namespace
}  // namespace tailback::test
