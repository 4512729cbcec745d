// Reading Python's frames over recorded images, whole and damaged.
#include "runtime/interpreters/python/stack.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "tests/unit/damaged_image.h"
#include "tests/unit/python_versions.h"

namespace tailback {
namespace {

class PythonImages : public testing::TestWithParam<std::string> {
 protected:
  PythonImage image_ = read_python_image(std::string(TAILBACK_SOURCE_DIR) +
                                         "/tests/unit/images/python-" + GetParam() + ".image");

  InterpreterStack read(int tid) { return python_stack_of(image_.memory, image_.python, tid); }

  // Where immutable objects lie: code, names, line tables. What is not among them are thread
  // states and frames, which change while a thread runs.
  bool is_in_object(uint64_t address) {
    constexpr uint64_t kLongest = 256;
    for (uint64_t begin = address - 8; begin + kLongest > address; begin -= 8) {
      const uint64_t type = word_at(image_.memory, begin + 8);
      if (type != 0 &&
          (type == image_.python.code_type.value || type == image_.python.string_type.value ||
           type == image_.python.bytes_type.value))
        return true;
    }
    return word_at(image_.memory, address + 8) != 0 &&
           word_at(image_.memory, address + 8) == image_.python.code_type.value;
  }

  // Constants, like code.
  bool is_in_debug_offsets(uint64_t address) const {
    constexpr uint64_t kSize = 1024;
    const uint64_t begin = image_.python.runtime.value;
    return image_.python.version.minor >= 13 && address >= begin && address < begin + kSize;
  }
};

std::vector<InterpretedFrame> without_marks(std::vector<InterpretedFrame> frames) {
  for (InterpretedFrame& frame : frames) frame.ends_call = false;
  return frames;
}

std::vector<uint8_t> random_bytes(std::mt19937& random, size_t count) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST_P(PythonImages, Frames_EqualPythonsOwn) {
  ASSERT_EQ(image_.threads.size(), 5u);
  for (const PythonImage::Thread& thread : image_.threads) {
    const InterpreterStack stack = read(thread.tid);
    EXPECT_EQ(stack.failure, "");
    EXPECT_TRUE(stack.complete);
    EXPECT_EQ(without_marks(stack.frames), thread.frames);
  }
}

TEST_P(PythonImages, UnknownThread_NoFrames) {
  EXPECT_TRUE(read(1).frames.empty());
}

TEST_P(PythonImages, AnyDamage_NoCrash) {
  constexpr int kRounds = 8000;
  const MemoryImage whole = image_.memory;
  const std::vector<uint64_t> places = word_addresses(image_.memory);
  std::mt19937 random(1);
  int dropped = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < kRounds; ++round) {
    image_.memory = whole;
    const std::vector<uint8_t> decisions = random_bytes(random, 8 + random() % 120);
    damage(image_.memory, places, Decisions(decisions));
    const InterpreterStack stack = read(image_.threads[random() % image_.threads.size()].tid);
    ASSERT_EQ(fault_of(stack), "") << "round " << round;
    dropped += stack.failure.empty() ? 0 : 1;
  }
  EXPECT_GT(dropped, kRounds / 50) << "damage that shows too seldom";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

// What is torn while a thread runs are its frames. Whatever is in them, what is shown are functions
// that there are.
TEST_P(PythonImages, TornFrames_NoWrongNames) {
  constexpr int kRounds = 8000;
  const MemoryImage whole = image_.memory;
  std::vector<uint64_t> places = word_addresses(image_.memory);
  std::erase_if(places, [&](uint64_t address) {
    return is_in_object(address) || is_in_debug_offsets(address);
  });
  ASSERT_GT(places.size(), 50u);
  std::set<std::pair<std::string, std::string>> functions;
  for (const PythonImage::Thread& thread : image_.threads) {
    for (const InterpretedFrame& frame : thread.frames)
      functions.insert({frame.function, frame.file});
  }
  std::mt19937 random(2);
  int dropped = 0;
  int shown = 0;
  for (int round = 0; round < kRounds; ++round) {
    image_.memory = whole;
    const std::vector<uint8_t> decisions = random_bytes(random, 6 + random() % 30);
    damage(image_.memory, places, Decisions(decisions));
    const InterpreterStack stack = read(image_.threads[random() % image_.threads.size()].tid);
    ASSERT_EQ(fault_of(stack), "");
    for (const InterpretedFrame& frame : stack.frames) {
      ASSERT_TRUE(functions.contains({frame.function, frame.file}))
          << "round " << round << ": " << frame.function << " of " << frame.file;
    }
    dropped += stack.failure.empty() ? 0 : 1;
    shown += stack.frames.empty() ? 0 : 1;
  }
  EXPECT_GT(dropped, 0);
  EXPECT_GT(shown, 0);
}

TEST_P(PythonImages, ObjectOfOtherType_Refused) {
  const MemoryImage whole = image_.memory;
  const PythonInterpreter& python = image_.python;
  int refused = 0;
  for (const uint64_t at : word_addresses(image_.memory)) {
    const uint64_t word = word_at(image_.memory, at);
    if (word != python.code_type.value && word != python.string_type.value &&
        word != python.bytes_type.value)
      continue;
    image_.memory = whole;
    set_word(image_.memory, at, python.runtime.value);
    for (const PythonImage::Thread& thread : image_.threads) {
      const InterpreterStack stack = read(thread.tid);
      // It may be another thread's, or none that is looked at.
      if (stack.failure.empty()) {
        EXPECT_EQ(without_marks(stack.frames), thread.frames);
      }
      refused += stack.failure.empty() ? 0 : 1;
    }
    image_.memory = whole;
  }
  EXPECT_GT(refused, 10);
}

TEST_P(PythonImages, AbsurdOffsets_NoCrash) {
  if (image_.python.version.minor < 13) return;  // they are not the target's
  const MemoryImage whole = image_.memory;
  for (uint64_t i = 1; i < 83; ++i) {
    for (const uint64_t value : {~uint64_t{0}, ~uint64_t{7}, uint64_t{1} << 32, uint64_t{4000}}) {
      image_.memory = whole;
      set_word(image_.memory, image_.python.runtime.value + 8 * i, value);
      EXPECT_EQ(fault_of(read(image_.threads[0].tid)), "");
    }
  }
}

TEST_P(PythonImages, RingOfFrames_Refused) {
  const PythonImage::Thread& thread = image_.threads[0];
  const auto layout = python_layout(image_.python.version, image_.memory, image_.python.runtime);
  ASSERT_TRUE(layout);
  image_.python.layout = *layout;
  const auto found = find_python_thread(image_.memory, image_.python, thread.tid);
  ASSERT_TRUE(found);
  const uint64_t first = found->frame.value;
  const uint64_t second = word_at(image_.memory, first + layout->frame_previous);
  set_word(image_.memory, second + layout->frame_previous, first);
  EXPECT_EQ(read(thread.tid).failure, "its frames form a ring");
}

INSTANTIATE_TEST_SUITE_P(Versions, PythonImages, testing::ValuesIn(kPythonVersions),
                         test_name_of_version<testing::TestParamInfo<std::string>>);

}  // namespace
}  // namespace tailback
