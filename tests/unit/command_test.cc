// The command line: options and their sources, and what the program itself answers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/command/command_line.h"
#include "runtime/command/config_file.h"
#include "runtime/command/options.h"
#include "runtime/launch/launch_error.h"

namespace tailback {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Texts = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

ObserverOptions options_of(const Texts& flags, const Texts& environment = {},
                           const ConfigValues& config = {}) {
  return observer_options(
      flags,
      [&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
      },
      config);
}

std::string refusal_of(const Texts& flags, const Texts& environment = {}) {
  try {
    options_of(flags, environment);
    return "";
  } catch (const LaunchError& error) {
    EXPECT_EQ(error.exit_status(), 125);
    return error.what();
  }
}

TEST(ObserverOptions, BadThreshold_Refused) {
  for (const char* value : {"",
                            "20",
                            "ms",
                            ".",
                            ".ms",
                            "1..5s",
                            "1.5.s",
                            "-1s",
                            "+1s",
                            " 1s",
                            "1s ",
                            "1 s",
                            "1h",
                            "1m",
                            "1S",
                            "1e3s",
                            "0x1s",
                            "nan",
                            "infs",
                            "0ms",
                            "999us",
                            "0.9ms",
                            "0.0009999999999s",
                            "3601s",
                            "3600.000000001s",
                            "10000000000s",
                            "99999999999999999999999s",
                            "1\nms"}) {
    const std::string line = refusal_of({{"--threshold", value}});
    EXPECT_NE(line.find("--threshold '"), std::string::npos) << value;
    EXPECT_NE(line.find("1ms to 3600s"), std::string::npos) << value;
    EXPECT_EQ(line.find('\n'), std::string::npos) << value;
  }
}

TEST(ObserverOptions, Thresholds_Parsed) {
  const std::map<std::string, Nanoseconds> expected = {
      {"20ms", 20ms},    {"1s", 1s},       {"0.5s", 500ms}, {".5s", 500ms},
      {"1.s", 1s},       {"1ms", 1ms},     {"1000us", 1ms}, {"1500µs", 1500us},
      {"2.5ms", 2500us}, {"3600s", 3600s}, {"007ms", 7ms},  {"1.0000000019s", 1000000001ns},
      {"0.001s", 1ms},
  };
  for (const auto& [text, time] : expected) {
    EXPECT_EQ(options_of({{"--threshold", text}}).threshold, time) << text;
  }
}

TEST(ObserverOptions, Defaults_Set) {
  EXPECT_EQ(options_of({}), (ObserverOptions{100ms, "", "", false}));
}

TEST(ObserverOptions, Precedence_FlagsEnvironmentDefaults) {
  const Texts environment = {{"TAILBACK_THRESHOLD", "30ms"},
                             {"TAILBACK_JSON", "e.jsonl"},
                             {"TAILBACK_LOG", "e.log"},
                             {"TAILBACK_QUIET", "yes"}};
  EXPECT_EQ(options_of({}, environment), (ObserverOptions{30ms, "e.jsonl", "e.log", true}));
  EXPECT_EQ(options_of({{"--threshold", "40ms"}, {"--json", "-"}}, environment),
            (ObserverOptions{40ms, "-", "e.log", true}));
  EXPECT_EQ(options_of({{"--quiet", "1"}}, {{"TAILBACK_QUIET", "0"}}).quiet, true);
  EXPECT_EQ(options_of({}, {{"TAILBACK_THRESHOLD", ""}, {"TAILBACK_QUIET", ""}}), options_of({}));
}

TEST(ObserverOptions, RepeatedLoopOption_AllTaken) {
  const ObserverOptions options =
      options_of({{"--loop", "io-*,net"}}, {{"TAILBACK_NOT_LOOP", "main"}, {"TAILBACK_LOOP", "x"}});
  EXPECT_EQ(options.loops, (std::vector<std::string>{"io-*", "net"}));
  EXPECT_EQ(options.not_loops, std::vector<std::string>{"main"});
  for (const char* value : {"", ",", "a,", ",a", "a,,b"}) {
    const std::string line = refusal_of({{"--loop", value}});
    EXPECT_NE(line.find("--loop '" + std::string(value) + "': not accepted"), std::string::npos);
    EXPECT_NE(line.find("worker*"), std::string::npos) << line;
  }
}

TEST(ConfigFile, ListOption_MayRepeat) {
  const ObserverOptions options = options_of(
      {}, {}, parse_config("loop = \"io-*\"\nnot-loop = 'a,b'\nloop = \"net\"", "t.toml"));
  EXPECT_EQ(options.loops, (std::vector<std::string>{"io-*", "net"}));
  EXPECT_EQ(options.not_loops, (std::vector<std::string>{"a", "b"}));
}

TEST(ObserverOptions, BadVariable_Named) {
  EXPECT_NE(refusal_of({}, {{"TAILBACK_THRESHOLD", "soon"}}).find("TAILBACK_THRESHOLD 'soon'"),
            std::string::npos);
  EXPECT_NE(refusal_of({}, {{"TAILBACK_QUIET", "maybe"}}).find("TAILBACK_QUIET 'maybe'"),
            std::string::npos);
  EXPECT_NE(refusal_of({{"--json", ""}}).find("--json ''"), std::string::npos);
  // A flag that is right makes the variable irrelevant.
  EXPECT_EQ(refusal_of({{"--threshold", "1s"}}, {{"TAILBACK_THRESHOLD", "soon"}}), "");
}

std::string config_refusal_of(std::string_view text) {
  try {
    options_of({}, {}, parse_config(text, "t.toml"));
    return "";
  } catch (const LaunchError& error) {
    EXPECT_EQ(error.exit_status(), 125);
    return error.what();
  }
}

TEST(ConfigFile, BadValue_FileLineKey) {
  const std::map<std::string, Words> cases = {
      {"thresold = \"1s\"", {"t.toml:1: 'thresold'", "threshold, json"}},
      {"\n# c\nthreshold = \"20\"", {"t.toml:3: threshold '20'", "1ms to 3600s"}},
      {"threshold = 20ms", {"t.toml:1: threshold: '20ms'", "string"}},
      {"quiet", {"t.toml:1: quiet: no '='"}},
      {"quiet =", {"t.toml:1: quiet: ''"}},
      {"quiet = true true", {"t.toml:1: quiet: 'true true'"}},
      {"quiet = true\nquiet = true", {"t.toml:2: quiet: given twice"}},
      {"json = \"x", {"t.toml:1: json: the string is not closed"}},
      {"json = \"x\" y", {"t.toml:1: json: 'y' follows"}},
      {"json = \"a\\n\"", {"t.toml:1: json: after a backslash"}},
      {"exitcode = 256", {"t.toml:1: exitcode '256'", "1 to 255"}},
      {"fail-on = \"rice\"", {"t.toml:1: fail-on 'rice'", "stall"}},
      {"[run]", {"t.toml:1: '[run]'", "tables"}},
      {"config = \"x\"", {"t.toml:1: 'config'"}},
      {"= 1", {"t.toml:1: ''"}},
      {std::string("json\0 = 1", 9), {"t.toml:1: 'json"}},
  };
  for (const auto& [text, words] : cases) {
    const std::string line = config_refusal_of(text);
    for (const std::string& word : words) EXPECT_NE(line.find(word), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(ConfigFile, Values_BelowVariablesAndFlags) {
  const ConfigValues config = parse_config(
      "# all\r\n  threshold = \"30ms\" # t\n\nquiet=true\njson = 'a # \\b'\nlog = \"q\\\"\\\\\"\n"
      "exitcode = 9 # nine\nmax-reports = 3\nfail-on = \"new\"\nsuppressions = \"k.supp\"\n"
      "blocking-calls = true\nslow-call = \"500us\"\nstrict = false",
      "t.toml");
  const ObserverOptions options = options_of({}, {}, config);
  ObserverOptions expected{30ms, "a # \\b", "q\"\\", true, "k.supp", {"stall"}, 9, 3, ""};
  expected.blocking_calls = true;
  expected.slow_call = 500us;
  EXPECT_EQ(options, expected);
  EXPECT_EQ(options_of({}, {{"TAILBACK_EXITCODE", "8"}}, config).exitcode, 8);
  EXPECT_EQ(options_of({{"--exitcode", "7"}}, {{"TAILBACK_EXITCODE", "8"}}, config).exitcode, 7);
  EXPECT_EQ(options_of({}, {{"TAILBACK_EXITCODE", ""}}, config).exitcode, 9);
  EXPECT_EQ(options_of({}, {}, parse_config("", "t.toml")), options_of({}));
}

TEST(ObserverOptions, SeveralPatterns_SplitAtColons) {
  EXPECT_TRUE(options_of({}).app_code.empty());
  const ObserverOptions options =
      options_of({{"--app-code", "*/ours/*"}}, {{"TAILBACK_LIBRARY", "*/vendor/*,*/lib?.so"}});
  EXPECT_EQ(options.app_code, std::vector<std::string>{"*/ours/*"});
  EXPECT_EQ(options.library_code, (std::vector<std::string>{"*/vendor/*", "*/lib?.so"}));
  EXPECT_THROW(options_of({{"--app-code", "a,,b"}}), LaunchError);
  EXPECT_THROW(options_of({{"--library-code", ""}}), LaunchError);
}

TEST(ObserverOptions, BadStatusOrCap_Refused) {
  for (const char* value : {"0", "256", "-1", "+1", "", "7x", "99999999999999999999"}) {
    EXPECT_NE(refusal_of({{"--exitcode", value}}).find("1 to 255"), std::string::npos) << value;
  }
  EXPECT_NE(refusal_of({{"--max-reports", "0"}}).find("1 to 1000"), std::string::npos);
  EXPECT_NE(refusal_of({{"--max-reports", "1001"}}).find("1 to 1000"), std::string::npos);
  for (const char* value : {"", "blocking-calls", "deadlocks", "races", "Stall", "stall,",
                            "stall,blocking-call,rice"}) {
    EXPECT_NE(refusal_of({{"--fail-on", value}}).find("stall"), std::string::npos) << value;
  }
  EXPECT_FALSE(options_of({}).fail_on.contains("stall"));
  EXPECT_TRUE(options_of({{"--fail-on", "deadlock"}}).fail_on.contains("deadlock"));
  EXPECT_TRUE(options_of({{"--fail-on", "race,never-awaited"}}).fail_on.contains("never-awaited"));
  EXPECT_TRUE(options_of({{"--lock-order", "1"}}).lock_order);
  EXPECT_TRUE(options_of({{"--thread-sanitizer-text", "1"}}).thread_sanitizer_text);
  EXPECT_EQ(options_of({}).exitcode, 66);
  EXPECT_TRUE(options_of({{"--fail-on", "stall"}}).fail_on.contains("stall"));
}

TEST(ObserverOptions, OldNames_MeanTheSame) {
  const auto old_variables = [](const char* name) -> const char* {
    if (std::string_view(name) == "TAILBACK_HAZARDS") return "1";
    return std::string_view(name) == "TAILBACK_OWN" ? "*/ours/*" : nullptr;
  };
  const ObserverOptions options = observer_options({}, old_variables);
  EXPECT_TRUE(options.blocking_calls);
  EXPECT_EQ(options.app_code, std::vector<std::string>{"*/ours/*"});
  const ConfigValues config = parse_config("hazards = true\nlibrary = \"*/vendor/*\"", "t.toml");
  const ObserverOptions configured = observer_options(
      {}, [](const char*) { return nullptr; }, config);
  EXPECT_TRUE(configured.blocking_calls);
  EXPECT_EQ(configured.library_code, std::vector<std::string>{"*/vendor/*"});
  EXPECT_TRUE(
      options_of({{"--fail-on", "hazard"}, {"--strict", "1"}}).fail_on.contains("blocking-call"));
}

TEST(ObserverOptions, FailOnBlockingCallWithoutDetection_Refused) {
  EXPECT_NE(refusal_of({{"--fail-on", "blocking-call"}}).find("--strict"), std::string::npos);
  EXPECT_NE(refusal_of({{"--slow-call", "100us"}}).find("200us"), std::string::npos);
  const ObserverOptions one = options_of({{"--fail-on", "blocking-call"}, {"--strict", "1"}});
  EXPECT_TRUE(one.fail_on.contains("blocking-call"));
  EXPECT_FALSE(one.fail_on.contains("stall"));
  EXPECT_EQ(one.slow_call, 1ms);
  const ObserverOptions both =
      options_of({{"--fail-on", "stall,blocking-call"}, {"--blocking-calls", "1"}});
  EXPECT_TRUE(both.fail_on.contains("blocking-call"));
  EXPECT_TRUE(both.fail_on.contains("stall"));
}

void expect_split(const Words& arguments, const Words& own, const Words& command) {
  const CommandLine line = split_command_line(arguments);
  EXPECT_EQ(line.own, own);
  EXPECT_EQ(line.command, command);
}

TEST(CommandLine, OptionsAfterCommand_BelongToCommand) {
  expect_split({"run", "--", "ls", "--json", "x"}, {"run"}, {"ls", "--json", "x"});
  expect_split({"run", "ls", "--quiet"}, {"run"}, {"ls", "--quiet"});
  expect_split({"run", "--json", "x", "ls", "--", "-l"}, {"run", "--json", "x"},
               {"ls", "--", "-l"});
  expect_split({"run", "--json=x", "ls"}, {"run", "--json=x"}, {"ls"});
  expect_split({"run", "--json", "-", "--quiet", "ls"}, {"run", "--json", "-", "--quiet"}, {"ls"});
  expect_split({"run", "--", "--weird"}, {"run"}, {"--weird"});
  expect_split({"run", "--json"}, {"run", "--json"}, {});
  expect_split({"run", "--"}, {"run"}, {});
  expect_split({"run"}, {"run"}, {});
}

TEST(CommandLine, OtherSubcommand_NoCommand) {
  expect_split({}, {}, {});
  expect_split({"report", "a", "--", "b"}, {"report", "a", "--", "b"}, {});
  expect_split({"--help"}, {"--help"}, {});
}

// The program itself, as it was built.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "command.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string file(const std::string& name) const { return directory_ + "/" + name; }

  static std::string read(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  struct Answer {
    int wait_status = -1;
    int exit_status = -1;  // -1: killed by a signal
    std::string output;
    std::string error;
  };

  Answer tailback(const Words& arguments, const Words& variables = {}) const {
    const pid_t pid = fork();
    if (pid == 0) {
      dup2(open(file("output").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDOUT_FILENO);
      dup2(open(file("error").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDERR_FILENO);
      for (const std::string& variable : variables) putenv(const_cast<char*>(variable.c_str()));
      std::vector<char*> argv = {const_cast<char*>("tailback")};
      for (const std::string& text : arguments) argv.push_back(const_cast<char*>(text.c_str()));
      argv.push_back(nullptr);
      execv(TAILBACK_PROGRAM, argv.data());
      _exit(99);
    }
    Answer answer;
    EXPECT_EQ(waitpid(pid, &answer.wait_status, 0), pid);
    if (WIFEXITED(answer.wait_status)) answer.exit_status = WEXITSTATUS(answer.wait_status);
    answer.output = read(file("output"));
    answer.error = read(file("error"));
    return answer;
  }

  void expect_refused(const Words& arguments, int status, const Words& words,
                      const Words& variables = {}) const {
    const Answer answer = tailback(arguments, variables);
    EXPECT_EQ(answer.exit_status, status) << answer.error;
    EXPECT_EQ(answer.output, "");
    EXPECT_EQ(answer.error.substr(0, 10), "tailback: ") << answer.error;
    EXPECT_EQ(answer.error.find('\n'), answer.error.size() - 1) << answer.error;
    for (const std::string& word : words) {
      EXPECT_NE(answer.error.find(word), std::string::npos) << word << " in: " << answer.error;
    }
  }

  std::string directory_;
};

TEST_F(ProgramTest, Version_Printed) {
  const Answer answer = tailback({"--version"});
  EXPECT_EQ(answer.exit_status, 0);
  EXPECT_EQ(answer.output, "tailback " TAILBACK_VERSION "\n");
}

TEST_F(ProgramTest, HelpMarkdown_HasEveryOptionAndNoOldName) {
  const Answer answer = tailback({"--help-markdown"});
  EXPECT_EQ(answer.exit_status, 0);
  for (const char* heading : {"## tailback run\n", "## tailback report\n"}) {
    EXPECT_NE(answer.output.find(heading), std::string::npos) << answer.output;
  }
  for (const ObserverOption& option : observer_option_table()) {
    if (option.is_hidden) continue;
    const std::string row =
        option.value_name.empty()
            ? "| `" + std::string(option.flag) + "` | `" + std::string(option.variable) + "` |"
            : "| `" + std::string(option.flag) + " " + std::string(option.value_name) + "` |";
    EXPECT_NE(answer.output.find(row), std::string::npos) << row;
    if (option.old_flag.empty()) continue;
    for (const char* end : {"`", " "}) {
      EXPECT_EQ(answer.output.find("`" + std::string(option.old_flag) + end), std::string::npos);
    }
  }
}

TEST_F(ProgramTest, EverySubcommand_Help) {
  const Answer all = tailback({"--help"});
  EXPECT_EQ(all.exit_status, 0);
  EXPECT_NE(all.output.find("  run "), std::string::npos) << all.output;
  EXPECT_NE(all.output.find("  report "), std::string::npos) << all.output;
  EXPECT_EQ(all.output.find("observe "), std::string::npos) << all.output;

  const Answer run = tailback({"run", "--help"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_NE(run.output.find("-- CMD [ARG...]"), std::string::npos) << run.output;
  for (const ObserverOption& option : observer_option_table()) {
    if (option.is_hidden) continue;
    EXPECT_NE(run.output.find(option.flag), std::string::npos) << run.output;
    EXPECT_NE(run.output.find(option.variable), std::string::npos) << run.output;
  }
  EXPECT_EQ(tailback({"report", "--help"}).exit_status, 0);
}

// The page in the sources is what the program says.
TEST_F(ProgramTest, Calls_EqualPage) {
  std::ifstream page(TAILBACK_SOURCE_DIR "/instrument/CALLS.md");
  std::ostringstream text;
  text << page.rdbuf();
  const Answer answer = tailback({"calls"});
  EXPECT_EQ(answer.exit_status, 0);
  EXPECT_EQ(answer.output, text.str()) << "write it anew: tailback calls > instrument/CALLS.md";
  for (const char* name : {"`read`", "`pthread_mutex_lock *`", "`dlopen +`"}) {
    EXPECT_NE(answer.output.find(name), std::string::npos) << name;
  }
}

TEST_F(ProgramTest, BadCommandLine_Refused) {
  expect_refused({}, 125, {"--help"});
  expect_refused({"fly"}, 125, {"fly"});
  expect_refused({"--fly"}, 125, {"--fly"});
  expect_refused({"run"}, 125, {"no command"});
  expect_refused({"run", "--fly", "--", "true"}, 125, {"--fly"});
  expect_refused({"run", "--json"}, 125, {"--json"});
  expect_refused({"run", "--threshold", "soon", "--", "true"}, 125, {"--threshold 'soon'"});
  expect_refused({"run", "--", "true"}, 125, {"TAILBACK_THRESHOLD '1'"}, {"TAILBACK_THRESHOLD=1"});
  expect_refused({"observe"}, 125, {"--session"});
  expect_refused({"observe", "--session", file("none")}, 125, {file("none")});
}

TEST_F(ProgramTest, BadOption_RefusedBeforeRun) {
  const std::string unreachable = file("no-such-directory/file");
  expect_refused({"run", "--json", unreachable, "--", "touch", file("ran")}, 125, {unreachable});
  expect_refused({"run", "--log", unreachable, "--", "touch", file("ran")}, 125, {unreachable});
  EXPECT_FALSE(fs::exists(file("ran")));
  expect_refused({"run", "--json", file("x.jsonl"), "--", "no-such-program"}, 127,
                 {"no-such-program"});
  EXPECT_FALSE(fs::exists(file("x.jsonl")));
  expect_refused({"run", "--", directory_}, 126, {"is a directory"});
}

TEST_F(ProgramTest, CommandEnds_SameEnd) {
  EXPECT_EQ(tailback({"run", "--quiet", "--", "true"}).exit_status, 0);
  EXPECT_EQ(tailback({"run", "--quiet", "sh", "-c", "exit 7"}).exit_status, 7);
  const Answer killed = tailback({"run", "--quiet", "sh", "-c", "kill -USR1 $$"});
  ASSERT_TRUE(WIFSIGNALED(killed.wait_status));
  EXPECT_EQ(WTERMSIG(killed.wait_status), SIGUSR1);
}

TEST_F(ProgramTest, StandardOutput_CommandsOnly) {
  const Answer answer = tailback({"run", "--", "echo", "hello"});
  EXPECT_EQ(answer.output, "hello\n");
  EXPECT_EQ(tailback({"run", "--quiet", "--", "echo", "hello"}).error, "");
  const Answer logged = tailback({"run", "--log", file("log"), "--", "sh", "-c", "echo oops >&2"});
  EXPECT_EQ(logged.error, "oops\n");
  EXPECT_EQ(logged.output, "");
}

TEST_F(ProgramTest, Run_WholeSessionWritten) {
  const std::string path = file("run.jsonl");
  EXPECT_EQ(tailback({"run", "--quiet", "--json", path, "sh", "-c", "exit 4"}).exit_status, 4);
  std::istringstream lines(read(path));
  Words records;
  for (std::string line; std::getline(lines, line);) records.push_back(line);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_NE(records[0].find("\"type\":\"session\""), std::string::npos) << records[0];
  EXPECT_NE(records[0].find("\"exit 4\""), std::string::npos) << records[0];
  EXPECT_NE(records[1].find("\"type\":\"end\""), std::string::npos) << records[1];
  EXPECT_NE(records[1].find("\"exit_status\":4"), std::string::npos) << records[1];

  const Answer piped = tailback({"run", "--quiet", "--json", "-", "true"});
  EXPECT_NE(piped.output.find("\"type\":\"end\""), std::string::npos) << piped.output;
}

TEST_F(ProgramTest, CommandLeavesChild_NotWaitedFor) {
  const std::string path = file("run.jsonl");
  const std::string script = "(while [ ! -e " + file("go") + " ]; do sleep 0.02; done) & exit 3";
  const Answer answer = tailback({"run", "--log", file("log"), "--json", path, "sh", "-c", script});
  EXPECT_EQ(answer.exit_status, 3);
  EXPECT_NE(answer.error.find("still observed"), std::string::npos) << answer.error;
  EXPECT_EQ(read(path).find("\"type\":\"end\""), std::string::npos);
  std::ofstream(file("go")) << "go";
  for (int i = 0; i < 1000 && read(path).find("\"type\":\"end\"") == std::string::npos; ++i) {
    usleep(10'000);
  }
  EXPECT_NE(read(path).find("\"exit_status\":3"), std::string::npos) << read(path);
}

}  // namespace
}  // namespace tailback
