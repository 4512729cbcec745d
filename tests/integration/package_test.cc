// What `cmake --install` puts in place is enough for a project of others: find_package(tailback),
// tailback_thread_sanitizer(), and the race stands in the recording.
#include <fstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

namespace fs = std::filesystem;

struct Compilers {
  std::string c;
  std::string cxx;
};

std::ostream& operator<<(std::ostream& stream, const Compilers& compilers) {
  return stream << compilers.cxx;
}

bool is_there(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

class PackageTest : public IntegrationTest {
 protected:
  fs::path at(const std::string& name) const { return directory().path() / name; }

  // The status, and the output of both kinds; a name for it.
  std::pair<std::optional<Ending>, std::string> run(
      const std::vector<std::string>& command,
      const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    ProcessOptions options;
    options.command = command;
    options.environment = environment;
    options.directory = directory().path();
    options.output = options.errors = at("command" + std::to_string(++commands_));
    Process process(options);
    const auto ending = process.wait(std::chrono::seconds(100));
    std::ifstream stream(options.output);
    return {ending, {std::istreambuf_iterator<char>(stream), {}}};
  }
  void succeed(const std::vector<std::string>& command,
               const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    const auto [ending, output] = run(command, environment);
    ASSERT_EQ(ending, exited(0)) << command[0] << " " << command[1] << "\n" << output;
  }
  void install() {
    succeed({TAILBACK_TEST_CMAKE, "--install", TAILBACK_TEST_BUILD, "--prefix", at("prefix")});
  }

  // Configures and builds the project against the package of `prefix`.
  void build_project(const Compilers& compilers, const fs::path& prefix) {
    const std::string source =
        source_file("tests/integration/targets/outside_project/CMakeLists.txt")
            .parent_path()
            .string();
    succeed({TAILBACK_TEST_CMAKE, "-S", source, "-B", at("project"),
             "-DCMAKE_PREFIX_PATH=" + prefix.string()},
            {{"CC", compilers.c}, {"CXX", compilers.cxx}});
    succeed({TAILBACK_TEST_CMAKE, "--build", at("project")});
  }

  void expect_race(const fs::path& tailback, const std::string& program) {
    const std::string recording = at(program + ".jsonl");
    const auto [ending, output] =
        run({tailback, "run", "--json", recording, "--", at("project") / program});
    EXPECT_EQ(ending, exited(66)) << output;
    std::vector<Json> races;
    std::ifstream stream(recording);
    for (std::string line; std::getline(stream, line);) {
      const Json json = Json::parse(line);
      if (json["type"] == "race") races.push_back(json);
    }
    ASSERT_EQ(races.size(), 1u) << output;
    ASSERT_EQ(races[0]["accesses"].size(), 2u);
    for (const Json& access : races[0]["accesses"]) {
      const Json& frame = access["at"]["stack"][access["at"]["culprit"].get<size_t>()];
      EXPECT_EQ(frame["function"], "count");
      EXPECT_TRUE(frame["file"].get<std::string>().ends_with("counting.c")) << frame;
    }
  }

 private:
  int commands_ = 0;
};

class PackageOfCompilerTest : public PackageTest,
                              public ::testing::WithParamInterface<Compilers> {};

TEST_P(PackageOfCompilerTest, PrefixAndBuildTree_BothWork) {
  if (!is_there(GetParam().cxx)) GTEST_SKIP() << GetParam().cxx << " is absent";
  install();
  if (HasFatalFailure()) return;
  for (const fs::path& prefix : {at("prefix"), fs::path(TAILBACK_TEST_BUILD)}) {
    build_project(GetParam(), prefix);
    if (HasFatalFailure()) return;
    for (const char* program : {"counter", "counter_in_c"}) {
      expect_race(prefix / "bin/tailback", program);
    }
    fs::remove_all(at("project"));
  }
}

INSTANTIATE_TEST_SUITE_P(Compilers, PackageOfCompilerTest,
                         ::testing::Values(Compilers{"gcc", "g++"}, Compilers{"clang", "clang++"}),
                         [](const auto& instance) { return instance.param.c; });

// Without CMake: two flags.
TEST_F(PackageTest, PkgFlags_Suffice) {
  install();
  if (HasFatalFailure()) return;
  const fs::path project =
      source_file("tests/integration/targets/outside_project/CMakeLists.txt").parent_path();
  fs::create_directory(at("project"));
  succeed({"gcc", "-g", "-fsanitize=thread", at("prefix") / "lib/tailback-thread-sanitizer.o",
           project / "counter.c", project / "counting.c", "-o", at("project") / "counter_in_c"});
  expect_race(at("prefix") / "bin/tailback", "counter_in_c");
}

TEST_F(PackageTest, UnsupportedCompiler_OneLineError) {
  fs::create_directory(at("project"));
  std::ofstream(at("project") / "CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.13)\nproject(p C)\nfind_package(tailback REQUIRED)\n"
         "tailback_thread_sanitizer(absent)\n";
  const auto [ending, output] = run({TAILBACK_TEST_CMAKE, "-S", at("project"), "-B", at("built"),
                                     "-DCMAKE_PREFIX_PATH=" TAILBACK_TEST_BUILD});
  EXPECT_EQ(ending, exited(1));
  EXPECT_NE(output.find("tailback_thread_sanitizer(absent): there is no such target"),
            std::string::npos)
      << output;
}

}  // namespace
}  // namespace tailback::test
