// Line tables and strings of CPython, by hand.
#include "runtime/interpreters/python/lines.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "runtime/interpreters/python/string.h"

namespace tailback {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

constexpr PythonLines k38 = PythonLines::kIncrements;
constexpr PythonLines k310 = PythonLines::kRanges;
constexpr PythonLines k311 = PythonLines::kLocations;

TEST(PythonLines, Increments_Summed) {
  // Line 10; from byte 4 on 12; from byte 8 on 11.
  const auto table = bytes({4, 2, 4, 0xff});
  EXPECT_EQ(python_line(k38, table, 10, -1), 10);
  EXPECT_EQ(python_line(k38, table, 10, 2), 10);
  EXPECT_EQ(python_line(k38, table, 10, 4), 12);
  EXPECT_EQ(python_line(k38, table, 10, 100), 11);
  EXPECT_EQ(python_line(k38, {}, 10, 100), 10);
  EXPECT_FALSE(python_line(k38, bytes({4}), 10, 100)) << "half a pair";
  EXPECT_FALSE(python_line(k38, bytes({0, 0x80}), 10, 100)) << "a line below 0";
}

TEST(PythonLines, RangeWithoutLine_None) {
  const auto table = bytes({4, 0, 4, 0x80, 2, 3});
  EXPECT_EQ(python_line(k310, table, 10, 0), 10);
  EXPECT_EQ(python_line(k310, table, 10, 4), 0);
  EXPECT_EQ(python_line(k310, table, 10, 8), 13);
  EXPECT_FALSE(python_line(k310, table, 10, 10)) << "behind the end";
}

TEST(PythonLines, AllLocationKinds_Read) {
  // Each entry covers one code unit, two bytes.
  const auto table = bytes({
      0x80 | 0 << 3,  0x12,                    // short: the same line
      0x80 | 11 << 3, 1,          2,           // one line on
      0x80 | 13 << 3, 2 << 1,                  // two lines on, without columns
      0x80 | 14 << 3, 3 << 1 | 1, 0, 1, 2,     // three lines back, long
      0x80 | 15 << 3,                          // none
      0x80 | 14 << 3, 0x40 | 8,   2, 0, 1, 2,  // (8 | 2 << 6) >> 1 = 68 lines on
  });
  const int lines[] = {10, 11, 13, 10, 0, 78};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(python_line(k311, table, 10, 2 * i), lines[i]) << i;
  EXPECT_FALSE(python_line(k311, table, 10, 12)) << "behind the end";
  EXPECT_EQ(python_line(k311, table, 10, -2), 10);
}

TEST(PythonLines, BrokenLocations_Refused) {
  EXPECT_FALSE(python_line(k311, bytes({0x00, 0x12}), 10, 0)) << "no entry begins so";
  EXPECT_FALSE(python_line(k311, bytes({0x80 | 13 << 3}), 10, 0)) << "ends within an entry";
  EXPECT_FALSE(python_line(k311, bytes({0x80 | 13 << 3, 0x80}), 10, 0)) << "another's beginning";
  EXPECT_FALSE(
      python_line(k311, bytes({0x80 | 13 << 3, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f}), 10, 0))
      << "a number without end";
  EXPECT_FALSE(python_line(k311, bytes({0x80 | 13 << 3, 41}), 10, 0)) << "a line below 0";
}

PythonLayout layout() {
  PythonLayout result;
  result.string_ascii = 48;
  result.string_other = 72;
  return result;
}

std::vector<std::byte> string_head(uint64_t length, uint32_t state) {
  std::vector<std::byte> head(80);
  std::memcpy(head.data() + 16, &length, sizeof length);
  std::memcpy(head.data() + 32, &state, sizeof state);
  return head;
}

constexpr uint32_t kCompact = 1u << 5;
constexpr uint32_t kAscii = 1u << 6;

TEST(PythonString, KnownForms_Read) {
  const auto ascii = python_string_form(layout(), string_head(3, kAscii | kCompact | 1 << 2));
  ASSERT_TRUE(ascii);
  EXPECT_EQ(ascii->data, 48u);
  EXPECT_EQ(python_text(*ascii, bytes({'a', 'b', 'c'}), false), "abc");
  EXPECT_EQ(python_text(*ascii, bytes({'a', 'b', 'c'}), true), "abc…");
  EXPECT_FALSE(python_text(*ascii, bytes({'a', 0xe9, 'c'}), false));
  EXPECT_FALSE(python_text(*ascii, bytes({'a', 0, 'c'}), false));

  const auto latin = python_string_form(layout(), string_head(2, kCompact | 1 << 2));
  ASSERT_TRUE(latin);
  EXPECT_EQ(latin->data, 72u);
  EXPECT_EQ(python_text(*latin, bytes({'a', 0xe9}), false), "aé");
  EXPECT_FALSE(python_text(*latin, bytes({'a', 'b'}), false)) << "would be ASCII";

  const auto two = python_string_form(layout(), string_head(2, kCompact | 2 << 2));
  ASSERT_TRUE(two);
  EXPECT_EQ(python_text(*two, bytes({'a', 0, 0x16, 0x04}), false), "aЖ");
  EXPECT_EQ(python_text(*two, bytes({'a', 0, 0x80, 0xdc}), false), "a\x80")
      << "a byte that was no text";
  EXPECT_EQ(python_text(*two, bytes({'a', 0, 0x00, 0xd8}), false), "a\uFFFD");

  const auto four = python_string_form(layout(), string_head(1, kCompact | 4 << 2));
  ASSERT_TRUE(four);
  EXPECT_EQ(python_text(*four, bytes({0x00, 0xf6, 0x01, 0x00}), false), "😀");
  EXPECT_FALSE(python_text(*four, bytes({0x00, 0x00, 0x11, 0x00}), false)) << "no character";
}

TEST(PythonString, UnknownForms_Refused) {
  EXPECT_FALSE(python_string_form(layout(), string_head(3, kAscii | 1 << 2))) << "not compact";
  EXPECT_FALSE(python_string_form(layout(), string_head(3, kCompact | 3 << 2)));
  EXPECT_FALSE(python_string_form(layout(), string_head(3, kCompact | kAscii | 2 << 2)));
  EXPECT_FALSE(python_string_form(layout(), string_head(uint64_t{1} << 40, kCompact | 1 << 2)));
  EXPECT_FALSE(python_string_form(layout(), std::vector<std::byte>(20)));
}

}  // namespace
}  // namespace tailback
