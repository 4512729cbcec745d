// Which builds of CPython are read, told from recorded images of their memory.
#include "runtime/interpreters/python/layout.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/unit/memory_image.h"

namespace tailback {
namespace {

TEST(PythonLayout, UnknownVersion_NoLayout) {
  MemoryImage nothing;
  EXPECT_FALSE(python_layout({3, 7}, nothing, {}));
  EXPECT_TRUE(python_layout({3, 8}, nothing, {}));
  EXPECT_TRUE(python_layout({3, 12}, nothing, {}));
  EXPECT_FALSE(python_layout({3, 13}, nothing, {})) << "it says its own, and here it doesn't";
  EXPECT_FALSE(python_layout({3, 15}, nothing, {}));
  EXPECT_FALSE(python_layout({2, 7}, nothing, {}));
}

class PythonOffsets : public testing::TestWithParam<int> {
 protected:
  PythonImage image_ =
      read_python_image(std::string(TAILBACK_SOURCE_DIR) + "/tests/unit/images/python-3." +
                        std::to_string(GetParam()) + ".image");
  PythonVersion version_{3, GetParam()};

  // Sets a word of the table of offsets that _PyRuntime begins with.
  void set_word(uint64_t index, uint64_t value) {
    const uint64_t address = image_.python.runtime.value + index * sizeof value;
    for (auto& [begin, bytes] : image_.memory.parts()) {
      if (address < begin || address + sizeof value > begin + bytes.size()) continue;
      std::memcpy(bytes.data() + (address - begin), &value, sizeof value);
      return;
    }
    FAIL() << "the image lacks word " << index;
  }
};

TEST_P(PythonOffsets, FreeThreadedBuild_Known) {
  constexpr uint64_t kFreeThreaded = 2;  // after the cookie and the version
  set_word(kFreeThreaded, 0);
  EXPECT_FALSE(is_free_threaded(image_.memory, image_.python.runtime));
  EXPECT_TRUE(python_layout(version_, image_.memory, image_.python.runtime));
  set_word(kFreeThreaded, 1);
  EXPECT_TRUE(is_free_threaded(image_.memory, image_.python.runtime));
}

TEST_P(PythonOffsets, UnknownTable_NotBelieved) {
  set_word(0, 0x6161616161616161);
  EXPECT_FALSE(python_layout(version_, image_.memory, image_.python.runtime));
}

TEST_P(PythonOffsets, OtherVersionsTable_NotBelieved) {
  set_word(1, 0x030f00f0);
  EXPECT_FALSE(python_layout(version_, image_.memory, image_.python.runtime));
}

// Its table may have another order: that of the version before would give wrong offsets.
TEST_P(PythonOffsets, NextVersion_HasNoLayout) {
  const PythonVersion next = {3, python_releases().back().version.minor + 1};
  set_word(1, static_cast<uint64_t>(next.major) << 24 | static_cast<uint64_t>(next.minor) << 16);
  EXPECT_FALSE(python_layout(next, image_.memory, image_.python.runtime));
}

INSTANTIATE_TEST_SUITE_P(Of, PythonOffsets, testing::Values(13, 14));

}  // namespace
}  // namespace tailback
