// Libraries that wait for one answer, and those that run a loop, over stacks that the test gives.
#include "runtime/analysis/answer_waits.h"

#include <gtest/gtest.h>

#include "tests/unit/fake_stacks.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kPython = 0x1000;
constexpr uint64_t kExtension = 0x2000;
constexpr uint64_t kLibrary = 0x3000;
constexpr uint64_t kGreenlet = 0x4000;

Mapping mapping(uint64_t begin, const char* path) {
  Mapping one;
  one.begin = RemoteAddress(begin);
  one.end = RemoteAddress(begin + 0x1000);
  one.executable = true;
  one.path = path;
  return one;
}

class AnswerWaitsTest : public ::testing::Test {
 protected:
  // The iteration after a wait in kExtension, with stacks of these frames.
  bool is_answer(const std::vector<std::vector<uint64_t>>& stacks) {
    const auto modules = std::make_shared<const ModuleMap>(std::vector<Mapping>{
        mapping(kPython, "/usr/bin/python3.11"), mapping(kExtension, extension_),
        mapping(kLibrary, "/usr/lib/libssl.so.3"), mapping(kGreenlet, greenlet_)});
    StallSeen seen;
    seen.wait.call_site = kExtension + 8;
    seen.modules = modules;
    for (const std::vector<uint64_t>& stack : stacks) {
      fake_.stacks->callers[stack.front()] = {stack.begin() + 1, stack.end()};
      Sample sample;
      sample.snapshot = snapshot_at(stack.front());
      sample.snapshot->modules = modules;
      seen.samples.push_back(
          {std::make_shared<const Sample>(std::move(sample)), milliseconds(50), {}});
    }
    return is_after_wait_for_answer(seen, fake_.reader);
  }

  FakeReader fake_;
  const char* extension_ = "/usr/lib/python3/dist-packages/grpc/cygrpc.cpython-311-x86_64.so";
  const char* greenlet_ = "/usr/lib/libz.so.1";
};

TEST_F(AnswerWaitsTest, ExtensionHasReturned_NoLoop) {
  EXPECT_TRUE(is_answer({{kPython + 1, kPython + 2}, {kLibrary + 1, kPython + 3}}));
  extension_ = "/opt/site-packages/fast_client.abi3.so";
  EXPECT_TRUE(is_answer({{kPython + 1, kPython + 2}}));
}

TEST_F(AnswerWaitsTest, ExtensionOnAStack_Loop) {
  EXPECT_FALSE(is_answer({{kPython + 1, kExtension + 1, kPython + 2}}));
  EXPECT_FALSE(is_answer({{kPython + 1, kPython + 2}, {kPython + 3, kExtension + 1, kPython + 2}}));
}

TEST_F(AnswerWaitsTest, OtherModules_Loop) {
  for (const char* path : {"/usr/bin/server", "/usr/lib/libuv.so.1",
                           "/usr/lib/python3.11/lib-dynload/select.cpython-311-x86_64.so"}) {
    extension_ = path;
    EXPECT_FALSE(is_answer({{kPython + 1, kPython + 2}})) << path;
  }
}

TEST_F(AnswerWaitsTest, Greenlets_Loop) {
  greenlet_ = "/usr/lib/python3/dist-packages/greenlet/_greenlet.cpython-311-x86_64.so";
  EXPECT_FALSE(is_answer({{kPython + 1, kPython + 2}}));
}

TEST_F(AnswerWaitsTest, NothingKnown_Loop) {
  EXPECT_FALSE(is_answer({}));
  fake_.stacks->incomplete = true;
  EXPECT_FALSE(is_answer({{kPython + 1, kPython + 2}}));
}

}  // namespace
}  // namespace tailback
