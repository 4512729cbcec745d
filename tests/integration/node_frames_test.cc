// node, from 18 to 24: the JavaScript that holds the loop up, by function, file and line.

#include <sys/stat.h>

#include <array>
#include <fstream>
#include <tuple>

#include "tests/integration/harness/integration_test.h"
#include "tests/unit/node_command.h"
#include "tests/unit/node_versions.h"

namespace tailback::test {
namespace {

constexpr char kTargets[] = "tests/integration/targets/node/";

struct Kind {
  const char* name;
  const char* script;
  const char* caller;  // of enter(): its mark
};
constexpr std::array<Kind, 4> kKinds = {{{"handler", "frames.js", "handler"},
                                         {"module", "frames.mjs", "handler"},
                                         {"async", "frames.js", "handle"},
                                         {"worker", "frames.js", "handle"}}};

// The line of a target that ends in this mark.
int marked_line(const std::string& file, const std::string& mark) {
  std::ifstream in(file);
  std::string text;
  for (int line = 1; std::getline(in, text); ++line)
    if (text.ends_with("// " + mark)) return line;
  ADD_FAILURE() << file << " has no mark " << mark;
  return 0;
}

class NodeFramesTest : public IntegrationTest,
                       public testing::WithParamInterface<std::tuple<std::string, Kind>> {
 protected:
  void SetUp() override {
    command_ = node_command(version());
    if (command_.empty()) GTEST_SKIP() << "no Node " << version() << " on this machine";
  }
  static std::string version() { return std::get<0>(GetParam()); }
  static const Kind& kind() { return std::get<1>(GetParam()); }
  static std::string target(const std::string& name) { return source_file(kTargets + name); }

  Recording run(const std::vector<std::string>& ways) {
    const std::string fifo = directory().path() / "fifo";
    EXPECT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    WatchOptions options;
    options.command = {command_, target(kind().script), kind().name, fifo};
    options.command.insert(options.command.end(), ways.begin(), ways.end());
    return finished(watch(options), exited(0), std::chrono::seconds(60));
  }

  std::vector<Json> run_for_stalls(const std::vector<std::string>& ways) {
    std::vector<Json> stalls;
    // A machine that others keep busy starves a loop at any place.
    for (const Json& stall : run(ways).final_stalls())
      if (stall["cause"] != "run-queue-wait" || stall["duration_ms"].get<double>() > 350)
        stalls.push_back(stall);
    return stalls;
  }

  // The stalls' JavaScript, from the culprit outwards, is what the target did in this way.
  static void expect_way(const Json& stall, const std::string& way) {
    SCOPED_TRACE(way + ": " + summary(stall));
    const Json& stack = stall["stack"];
    ASSERT_LT(stall["culprit"].get<size_t>(), stack.size());
    std::vector<Json> frames;  // the program's own
    for (size_t i = stall["culprit"].get<size_t>(); i < stack.size(); ++i)
      if (stack[i]["language"] == "javascript") frames.push_back(stack[i]);
    ASSERT_GE(frames.size(), 3u);
    EXPECT_EQ(frames[0]["function"], way);
    EXPECT_EQ(frames[0]["file"], target("ways.js"));
    const int line = marked_line(target("ways.js"), way);
    if (way == "compute") {  // compiled while it runs
      EXPECT_GE(frames[0]["line"].get<int>(), line);
      EXPECT_LE(frames[0]["line"].get<int>(), marked_line(target("ways.js"), "compute ends"));
    } else {
      EXPECT_EQ(frames[0]["line"], line);
    }
    EXPECT_EQ(frames[1]["function"], "enter");
    EXPECT_EQ(frames[1]["file"], target(kind().script));
    EXPECT_EQ(frames[1]["line"], marked_line(target(kind().script), "enter"));
    EXPECT_EQ(frames[2]["file"], target(kind().script));
    EXPECT_EQ(frames[2]["line"], marked_line(target(kind().script), kind().caller));
  }

  std::string command_;
};

TEST_P(NodeFramesTest, Healthy_Silent) {
  EXPECT_EQ(run_for_stalls({}).size(), 0u);
}

TEST_P(NodeFramesTest, JavaScriptFrame_FunctionFileLine) {
  const std::vector<std::string> ways = {"execSync", "readFifo", "atomicsWait", "derive",
                                         "compute"};
  const std::vector<Json> stalls = run_for_stalls(ways);
  ASSERT_EQ(stalls.size(), ways.size());
  for (size_t i = 0; i < ways.size(); ++i) expect_way(stalls[i], ways[i]);
  EXPECT_EQ(stalls[0]["cause"], "process");
  EXPECT_EQ(stalls[1]["cause"], "ipc");
  EXPECT_EQ(stalls[2]["cause"], "wait");
}

INSTANTIATE_TEST_SUITE_P(Versions, NodeFramesTest,
                         testing::Combine(testing::ValuesIn(kNodeVersions),
                                          testing::ValuesIn(kKinds)),
                         [](const auto& chosen) {
                           return std::get<0>(chosen.param) + "_" + std::get<1>(chosen.param).name;
                         });

}  // namespace
}  // namespace tailback::test
