// Programs built with sanitizers keep what these find, and nothing is added to it.
#include <cstdlib>
#include <regex>

#include "tests/hostile/three_ways.h"

namespace tailback::test {
namespace {

class Sanitizers : public ThreeWays {
 protected:
  static Subject loop(const std::string& build, const std::string& mode, int status) {
    Subject subject;
    subject.program = "sanitized_loop_" + build;
    subject.arguments = {mode};
    subject.ending = exited(status);
    // ThreadSanitizer's map of memory has no room for addresses that are too random.
    if (std::system("setarch -R true 2>/dev/null") == 0) subject.wrapper = {"setarch", "-R"};
    return subject;
  }

  // Runs the program all ways and gives the kinds of what ThreadSanitizer reported in each.
  std::vector<std::vector<std::string>> reports(const Subject& subject) {
    std::vector<std::vector<std::string>> result;
    std::string alone;
    for (const Way way : {Way::kAlone, Way::kLaunched, Way::kPreloaded}) {
      const Seen seen = run(subject, way);
      if (way == Way::kAlone) alone = seen.output;
      EXPECT_EQ(seen.output, alone) << way;
      EXPECT_NE(seen.output.find("done\n"), std::string::npos) << way << ": " << seen.errors;
      const std::regex kind("WARNING: ThreadSanitizer: (.*) \\(pid");
      std::vector<std::string> kinds;
      for (std::sregex_iterator at(seen.errors.begin(), seen.errors.end(), kind), end; at != end;
           ++at) {
        kinds.push_back((*at)[1]);
      }
      result.push_back(std::move(kinds));
    }
    return result;
  }
};

TEST_F(Sanitizers, ThreadSanitizerSafeProgram_NoReport) {
  for (const auto& kinds : reports(loop("thread", "safe", 0))) EXPECT_TRUE(kinds.empty());
}

TEST_F(Sanitizers, ThreadSanitizerRace_StillFound) {
  for (const auto& kinds : reports(loop("thread", "race", 66))) {
    ASSERT_FALSE(kinds.empty());
    EXPECT_EQ(kinds.front(), "data race");
  }
}

TEST_F(Sanitizers, ThreadSanitizerLockOrder_StillFound) {
  for (const auto& kinds : reports(loop("thread", "order", 66))) {
    EXPECT_EQ(kinds, std::vector<std::string>{"lock-order-inversion (potential deadlock)"});
  }
}

// AddressSanitizer refuses to run when any other library is loaded before it, unless told.
TEST_F(Sanitizers, AddressSanitizer_NoReport) {
  Subject subject = loop("address", "safe", 0);
  subject.environment = {{"ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0"}};
  subject.stalls = 2;
  compare(subject);
}

}  // namespace
}  // namespace tailback::test
