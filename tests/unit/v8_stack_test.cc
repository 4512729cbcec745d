// Reading JavaScript frames over recorded images, whole and damaged.
#include "runtime/interpreters/v8/stack.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/damaged_image.h"
#include "tests/unit/node_versions.h"
#include "tests/unit/v8_image.h"

namespace tailback {
namespace {

class V8Images : public testing::TestWithParam<std::string> {
 protected:
  V8Image image_ = read_v8_image(std::string(TAILBACK_SOURCE_DIR) + "/tests/unit/images/node-" +
                                 GetParam() + ".image");
};

TEST_P(V8Images, Frames_AsRecorded) {
  const GatheredV8Stack gathered = gather_v8_image(image_, image_.memory);
  std::vector<InterpretedFrame> frames;
  for (const GatheredV8Stack::Frame& frame : gathered.frames) {
    if (!frame.frame.linked) continue;
    EXPECT_EQ(frame.frame.failure, "");
    InterpretedFrame& shown = frames.emplace_back();
    shown.function = frame.frame.function;
    shown.file = frame.frame.file;
  }
  ASSERT_GT(frames.size(), 10u);
  ASSERT_EQ(frames.size(), image_.frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].function, image_.frames[i].function);
    EXPECT_EQ(frames[i].file, image_.frames[i].file);
  }
}

TEST_P(V8Images, AnyDamage_NoCrash) {
  constexpr int kRounds = 2000;
  const std::vector<uint64_t> places = word_addresses(image_.memory);
  std::mt19937 random(1);
  int dropped = 0;
  for (int round = 0; round < kRounds; ++round) {
    MemoryImage memory = image_.memory;
    std::vector<uint8_t> decisions(8 + random() % 120);
    for (uint8_t& byte : decisions) byte = static_cast<uint8_t>(random());
    damage(memory, places, Decisions(decisions));
    const GatheredV8Stack gathered = gather_v8_image(image_, memory);
    ASSERT_EQ(fault_of(gathered), "") << "round " << round;
    for (const GatheredV8Stack::Frame& frame : gathered.frames)
      dropped += frame.frame.failure.empty() ? 0 : 1;
  }
  EXPECT_GT(dropped, kRounds / 50) << "damage that shows too seldom";
}

TEST_P(V8Images, OtherVersion_NoLayout) {
  for (const V8Version version : {V8Version{0, 0}, {9, 4}, {11, 8}, {12, 9}, {14, 1}, {99, 0}})
    EXPECT_FALSE(v8_layout(version, image_.constants));
}

TEST_P(V8Images, AbsurdConstants_NoLayout) {
  ASSERT_TRUE(v8_layout(image_.version, image_.constants));
  for (const auto& [name, value] : image_.constants) {
    V8Constants constants = image_.constants;
    constants.erase(name);
    EXPECT_FALSE(v8_layout(image_.version, constants)) << name;
    constants[name] = -1000;
    EXPECT_FALSE(v8_layout(image_.version, constants)) << name;
    constants[name] = 1000000;
    EXPECT_FALSE(v8_layout(image_.version, constants)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, V8Images, testing::ValuesIn(kNodeVersions));

}  // namespace
}  // namespace tailback
