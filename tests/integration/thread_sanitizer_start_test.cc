// Programs that are compiled for ThreadSanitizer at their start: addresses that its runtime can
// live with, a runtime that ends the program, and what is said where its findings can't be read.
#include <unistd.h>

#include <fstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class ThreadSanitizerStartTest : public IntegrationTest {
 protected:
  struct Result {
    std::optional<Ending> ending;
    std::string output;
    std::string errors;
  };

  static std::string content_of(const std::filesystem::path& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  // By tailback; `bits`, if any, are what the machine seems to say of its random addresses.
  Result run(const std::string& program, const std::string& mode, const std::string& bits = "") {
    ProcessOptions options;
    options.directory = directory().path();
    options.output = directory().path() / "out";
    options.errors = directory().path() / "err";
    options.command = {tailback_binary(), "run", "--", built_program(program), mode};
    if (!bits.empty()) {
      std::ofstream(directory().path() / "bits") << bits << '\n';
      options.command.insert(options.command.begin(),
                             {"unshare", "-m", "sh", "-c",
                              "mount --bind bits /proc/sys/vm/mmap_rnd_bits && exec \"$@\"", "sh"});
    }
    std::filesystem::remove(options.output);
    std::filesystem::remove(options.errors);
    Process process(options);
    Result result;
    result.ending = process.wait(std::chrono::seconds(60));
    result.output = content_of(options.output);
    result.errors = content_of(options.errors);
    return result;
  }

  static bool can_mount() {
    return geteuid() == 0 &&
           std::system("unshare -m mount --bind /proc/version /proc/sys/vm/mmap_rnd_bits 2>&-") ==
               0;
  }
};

TEST_F(ThreadSanitizerStartTest, AddressRandomization_OffOnlyIfNeeded) {
  if (!can_mount()) GTEST_SKIP() << "a mount namespace takes root";
  for (const char* program : {"random_addresses_shared", "random_addresses_static"}) {
    const Result cured = run(program, "", "32");
    EXPECT_EQ(cured.ending, exited(0)) << program << cured.errors;
    EXPECT_EQ(cured.output, "addresses fixed\n") << program;
    EXPECT_EQ(run(program, "", "28").output, "addresses random\n") << program;
  }
  EXPECT_EQ(run("random_addresses", "", "32").output, "addresses random\n");
}

TEST_F(ThreadSanitizerStartTest, UnreadableFindings_Said) {
  const auto said = [this](const std::string& program) {
    const std::string errors = run(program, "").errors;
    size_t count = 0;
    for (size_t at = 0; (at = errors.find("pairing library", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(said("random_addresses"), 0u);
  EXPECT_EQ(said("random_addresses_shared"), 0u);
  EXPECT_EQ(said("random_addresses_paired"), 0u);
  EXPECT_EQ(said("random_addresses_static"), 1u);
}

TEST_F(ThreadSanitizerStartTest, DeathAtStart_Said) {
  const Result result = run("misplaced_program", "");
  EXPECT_EQ(result.ending, exited(66)) << result.errors;
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.errors.find("FATAL: ThreadSanitizer"), std::string::npos) << result.errors;
  const std::string line = "ended before its main()";
  const size_t at = result.errors.find(line);
  ASSERT_NE(at, std::string::npos) << result.errors;
  EXPECT_EQ(result.errors.find(line, at + 1), std::string::npos) << result.errors;
}

}  // namespace
}  // namespace tailback::test
