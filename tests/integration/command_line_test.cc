// The command line: its errors, and what a command keeps when tailback runs it.

#include <elf.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

struct Result {
  Ending ending;
  std::string output;
  std::string errors;
};

class CommandLineTest : public IntegrationTest {
 protected:
  ProcessOptions tailback(std::vector<std::string> arguments) {
    ProcessOptions options;
    options.command = {tailback_binary()};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    options.directory = directory().path();
    options.output = directory().path() / "out";
    options.errors = directory().path() / "err";
    return options;
  }

  Result result_of(Process& process) {
    const std::optional<Ending> ending = process.wait(std::chrono::seconds(20));
    EXPECT_TRUE(ending.has_value()) << "tailback has not ended";
    return {ending.value_or(Ending{}), file_text(directory().path() / "out"),
            file_text(directory().path() / "err")};
  }

  Result run(std::vector<std::string> arguments) {
    Process process(tailback(std::move(arguments)));
    return result_of(process);
  }

  // An error: its status, nothing on standard output, and one line that has all these words.
  void expect_error(const Result& result, int status, const std::vector<std::string>& words) {
    EXPECT_EQ(result.ending, exited(status));
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(std::count(result.errors.begin(), result.errors.end(), '\n'), 1) << result.errors;
    EXPECT_TRUE(result.errors.starts_with("tailback: ")) << result.errors;
    for (const std::string& word : words) {
      EXPECT_NE(result.errors.find(word), std::string::npos)
          << "no \"" << word << "\" in: " << result.errors;
    }
  }

  std::string write_program(const std::string& name, std::string_view text) {
    const std::filesystem::path path = directory().write(name, text);
    chmod(path.c_str(), 0755);
    return path;
  }

  // An ELF file of another machine that has nothing but a header.
  std::string write_foreign_program(unsigned char elf_class, uint16_t machine) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = elf_class;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof header;
    return write_program("foreign", {reinterpret_cast<const char*>(&header), sizeof header});
  }
};

TEST_F(CommandLineTest, VersionAndHelp_Printed) {
  const Result version = run({"--version"});
  EXPECT_EQ(version.ending, exited(0));
  EXPECT_NE(version.output.find(TAILBACK_VERSION), std::string::npos) << version.output;
}

TEST_F(CommandLineTest, EachSubcommand_HasHelp) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> helps = {
      {{"--help"}, "run"}, {{"run", "--help"}, "--threshold"}, {{"report", "--help"}, "FILE"}};
  for (const auto& [arguments, word] : helps) {
    std::filesystem::remove(directory().path() / "out");
    const Result help = run(arguments);
    EXPECT_EQ(help.ending, exited(0));
    EXPECT_NE(help.output.find(word), std::string::npos) << help.output;
    EXPECT_EQ(help.errors, "");
  }
}

TEST_F(CommandLineTest, MissingProgram_OneLineError) {
  expect_error(run({"run", "--", "no-such-program"}), 127, {"no-such-program"});
}

TEST_F(CommandLineTest, MissingPath_OneLineError) {
  expect_error(run({"run", "--", "./nowhere/program"}), 127, {"./nowhere/program"});
}

TEST_F(CommandLineTest, NotExecutable_OneLineError) {
  const std::string path = directory().write("plain.txt", "text\n");
  expect_error(run({"run", "--", path}), 126, {path});
}

TEST_F(CommandLineTest, Directory_OneLineError) {
  expect_error(run({"run", "--", directory().path()}), 126, {"directory"});
}

TEST_F(CommandLineTest, StaticProgram_OneLineError) {
  expect_error(run({"run", "--", built_program("static_program")}), 125, {"static"});
}

TEST_F(CommandLineTest, ForeignMachine_OneLineError) {
  expect_error(run({"run", "--", write_foreign_program(ELFCLASS64, EM_S390)}), 126, {"foreign"});
}

TEST_F(CommandLineTest, ThirtyTwoBitProgram_OneLineError) {
  expect_error(run({"run", "--", write_foreign_program(ELFCLASS32, EM_386)}), 126, {"foreign"});
}

TEST_F(CommandLineTest, SetuidProgram_OneLineError) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can make a setuid program of another user";
  }
  constexpr uid_t kNobody = 65534;
  const std::filesystem::path path = directory().path() / "setuid";
  std::filesystem::copy_file("/bin/true", path);
  ASSERT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(chmod(path.c_str(), 04755), 0);
  expect_error(run({"run", "--", path}), 125, {"setuid"});
}

TEST_F(CommandLineTest, BadOption_OneLineError) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"run", "--no-such-option", "--", "true"}, "--no-such-option"},
      {{"run", "--threshold", "soon", "--", "true"}, "soon"},
      {{"run", "--threshold", "-5ms", "--", "true"}, "-5ms"},
      {{"run", "--threshold", "0ms", "--", "true"}, "0ms"},
      {{"run"}, ""},
      {{"no-such-subcommand"}, "no-such-subcommand"},
  };
  for (const auto& [arguments, word] : cases) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    std::filesystem::remove(directory().path() / "err");
    expect_error(run(arguments), 125, {word});
  }
}

TEST_F(CommandLineTest, UnwritableFile_OneLineError) {
  for (const char* option : {"--json", "--log"}) {
    std::filesystem::remove(directory().path() / "err");
    expect_error(run({"run", option, "nowhere/file", "--", "/bin/sh", "-c", "touch started"}), 125,
                 {"nowhere/file"});
  }
  EXPECT_FALSE(std::filesystem::exists(directory().path() / "started"));
}

TEST_F(CommandLineTest, CommandExits_SameStatus) {
  for (const int status : {0, 1, 7, 255}) {
    EXPECT_EQ(
        run({"run", "--quiet", "--", "/bin/sh", "-c", "exit " + std::to_string(status)}).ending,
        exited(status));
  }
}

TEST_F(CommandLineTest, CommandKilled_SameSignal) {
  for (const int signal : {SIGTERM, SIGKILL, SIGUSR1, SIGSEGV}) {
    const std::string command = "kill -" + std::to_string(signal) + " $$";
    EXPECT_EQ(run({"run", "--quiet", "--", "/bin/sh", "-c", command}).ending, killed(signal));
  }
}

TEST_F(CommandLineTest, Signals_ReachCommand) {
  for (const auto& [signal, name] :
       {std::pair{SIGTERM, "TERM"}, {SIGHUP, "HUP"}, {SIGUSR1, "USR1"}, {SIGINT, "INT"}}) {
    std::filesystem::remove(directory().path() / "out");
    const std::string command = "trap 'echo got " + std::string(name) + "; exit 5' " + name +
                                "; echo ready; while :; do sleep 0.05; done";
    Process process(tailback({"run", "--quiet", "--", "/bin/sh", "-c", command}));
    ASSERT_TRUE(eventually(std::chrono::seconds(10),
                           [&] { return file_text(directory().path() / "out") == "ready\n"; }));
    process.signal(signal);
    const Result result = result_of(process);
    EXPECT_EQ(result.ending, exited(5)) << name;
    EXPECT_EQ(result.output, "ready\ngot " + std::string(name) + "\n");
  }
}

// Whatever happens to tailback, the program goes on.
TEST_F(CommandLineTest, KilledObserver_CommandContinues) {
  const std::string command = "echo pid $$; sleep 0.5; echo still here";
  Process process(tailback({"run", "--quiet", "--", "/bin/sh", "-c", command}));
  const std::filesystem::path output = directory().path() / "out";
  ASSERT_TRUE(eventually(std::chrono::seconds(10), [&] { return !file_text(output).empty(); }));
  process.signal(SIGKILL);
  EXPECT_EQ(result_of(process).ending, killed(SIGKILL));
  EXPECT_TRUE(eventually(std::chrono::seconds(10), [&] {
    return file_text(output).find("still here") != std::string::npos;
  }));
}

TEST_F(CommandLineTest, StandardStreams_BelongToCommand) {
  ProcessOptions options = tailback({"run", "--", "/bin/cat"});
  options.input = directory().write("in", "one\ntwo\n");
  Process process(options);
  const Result result = result_of(process);
  EXPECT_EQ(result.ending, exited(0));
  EXPECT_EQ(result.output, "one\ntwo\n");
}

TEST_F(CommandLineTest, Arguments_PassedUnchanged) {
  const Result result =
      run({"run", "--quiet", "--", "/usr/bin/printf", "%s|", "--json", "a b", "", "--", "-q"});
  EXPECT_EQ(result.output, "--json|a b||--|-q|");
}

// A command that ends with a stall of 300 ms, and what is said of it where.
class StallingCommandTest : public CommandLineTest {
 protected:
  Result run_probe(std::vector<std::string> options,
                   std::vector<std::pair<std::string, std::string>> environment = {}) {
    std::vector<std::string> arguments = {"run"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"--", built_program("preload_probe")});
    ProcessOptions process_options = tailback(arguments);
    process_options.environment = std::move(environment);
    Process process(process_options);
    const Result result = result_of(process);
    EXPECT_EQ(result.ending, exited(7));
    return result;
  }

  static bool tells_of_stall(const std::string& text) {
    return text.find("nanosleep") != std::string::npos && text.find("block") != std::string::npos;
  }
};

TEST_F(StallingCommandTest, Text_StandardError) {
  const Result result = run_probe({});
  EXPECT_TRUE(tells_of_stall(result.errors)) << result.errors;
  EXPECT_FALSE(tells_of_stall(result.output)) << result.output;
  EXPECT_EQ(result.errors.find('\x1b'), std::string::npos) << "colour, and no terminal";
}

TEST_F(StallingCommandTest, Quiet_PrintsNothing) {
  const Result result = run_probe({"--quiet", "--json", "run.jsonl"});
  EXPECT_EQ(result.errors, "");
  EXPECT_TRUE(has_stalls(Recording::read(directory().path() / "run.jsonl"), 1));
}

TEST_F(StallingCommandTest, Log_TakesText) {
  const Result result = run_probe({"--log", "run.log"});
  EXPECT_EQ(result.errors, "");
  EXPECT_TRUE(tells_of_stall(file_text(directory().path() / "run.log")));
}

TEST_F(StallingCommandTest, JsonDash_StandardOutput) {
  const Result result = run_probe({"--quiet", "--json", "-"});
  std::string json;
  for (size_t begin = 0; begin < result.output.size();) {
    const size_t end = result.output.find('\n', begin) + 1;
    if (result.output[begin] == '{') {
      json += result.output.substr(begin, end - begin);
    }
    begin = end;
  }
  const Recording recording = Recording::parse(json, "standard output");
  EXPECT_TRUE(has_stalls(recording, 1));
  EXPECT_TRUE(recording.complete());
  EXPECT_EQ(recording.faults(), std::vector<std::string>{});
}

TEST_F(StallingCommandTest, HigherThreshold_Silent) {
  run_probe({"--threshold", "0.5s", "--json", "long.jsonl"});
  EXPECT_TRUE(has_stalls(Recording::read(directory().path() / "long.jsonl"), 0));
  run_probe({"--threshold", "20ms", "--json", "short.jsonl"});
  EXPECT_TRUE(has_stalls(Recording::read(directory().path() / "short.jsonl"), 1));
}

TEST_F(StallingCommandTest, EnvironmentVariables_SameAsFlags) {
  const Result result = run_probe(
      {}, {{"TAILBACK_JSON", "run.jsonl"}, {"TAILBACK_QUIET", "1"}, {"TAILBACK_THRESHOLD", "1s"}});
  EXPECT_EQ(result.errors, "");
  EXPECT_TRUE(has_stalls(Recording::read(directory().path() / "run.jsonl"), 0));
  run_probe({"--threshold", "100ms", "--json", "flags.jsonl"}, {{"TAILBACK_THRESHOLD", "1s"}});
  EXPECT_TRUE(has_stalls(Recording::read(directory().path() / "flags.jsonl"), 1));
}

TEST_F(StallingCommandTest, Report_SummarizesRecording) {
  run_probe({"--quiet", "--json", "run.jsonl"});
  std::filesystem::remove(directory().path() / "out");
  const Result report = run({"report", "run.jsonl"});
  EXPECT_EQ(report.ending, exited(0));
  EXPECT_NE(report.output.find("preload_probe.cc:"), std::string::npos) << report.output;
  EXPECT_NE(report.output.find("epoll_wait"), std::string::npos) << report.output;
}

}  // namespace
}  // namespace tailback::test
