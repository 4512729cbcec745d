// Positions and lines of JavaScript, as V8 keeps them.
#include "runtime/interpreters/v8/lines.h"

#include <gtest/gtest.h>

#include "runtime/interpreters/v8/heap.h"
#include "runtime/interpreters/v8/stack.h"

namespace tailback {
namespace {

using Table = std::vector<std::byte>;

void append(Table& table, int64_t value) {
  auto bits = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  for (; bits > 0x7f; bits >>= 7) table.push_back(static_cast<std::byte>((bits & 0x7f) | 0x80));
  table.push_back(static_cast<std::byte>(bits));
}

// Steps of the offset from the function's entry on, and positions.
Table table_of(const std::vector<std::pair<int64_t, uint32_t>>& entries) {
  Table table;
  int64_t before = 0;
  for (const auto& [step, position] : entries) {
    const int64_t place = (int64_t{position} + 1) << 1;
    append(table, step);
    append(table, place - before);
    before = place;
  }
  return table;
}

TEST(V8Lines, Position_LastEntryBefore) {
  const Table table = table_of({{1, 100}, {-5 - 1, 40}, {200, 5000}});
  EXPECT_EQ(v8_position(table, 0), 100u);
  EXPECT_EQ(v8_position(table, 4), 100u);
  EXPECT_EQ(v8_position(table, 5), 40u);
  EXPECT_EQ(v8_position(table, 204), 40u);
  EXPECT_EQ(v8_position(table, 205), 5000u);
  EXPECT_EQ(v8_position(table, 100000), 5000u);
}

TEST(V8Lines, BrokenTable_Nothing) {
  EXPECT_FALSE(v8_position({}, 0));
  EXPECT_FALSE(v8_position(table_of({{10, 1}}), 3)) << "begins later";
  Table cut = table_of({{1, 100}, {1, 100000}});
  cut.pop_back();
  EXPECT_FALSE(v8_position(cut, 10));
  EXPECT_FALSE(v8_position(Table(200, std::byte{0xff}), 10)) << "a number without an end";
  Table negative;
  append(negative, 1);
  append(negative, -8);
  EXPECT_FALSE(v8_position(negative, 10));
}

TEST(V8Lines, LineEnds_AsJavaScript) {
  const auto ends = line_ends_of(u"a\nb\r\nc\rd\u2028e\u2029f");
  EXPECT_EQ(ends, (std::vector<uint32_t>{1, 4, 6, 8, 10}));
  EXPECT_EQ(line_of(ends, 0), 1);
  EXPECT_EQ(line_of(ends, 1), 1) << "the end belongs to its line";
  EXPECT_EQ(line_of(ends, 2), 2);
  EXPECT_EQ(line_of(ends, 5), 3);
  EXPECT_EQ(line_of(ends, 11), 6);
  EXPECT_EQ(line_of({}, 5), 1);
}

TEST(V8Lines, FileUrl_Path) {
  EXPECT_EQ(path_of_script("file:///srv/a%20b/%D1%8F.mjs?x=1#y"), "/srv/a b/я.mjs");
  EXPECT_EQ(path_of_script("file:///srv/100%.mjs"), "/srv/100%.mjs");
  EXPECT_EQ(path_of_script("file:///srv/a%2"), "/srv/a%2");
  EXPECT_EQ(path_of_script("file:///srv/a%00b"), "/srv/a%00b");
  EXPECT_EQ(path_of_script("node:internal/timers"), "node:internal/timers");
  EXPECT_EQ(path_of_script("/srv/a%20b.js"), "/srv/a%20b.js");
}

TEST(V8Lines, Text_Utf8) {
  EXPECT_EQ(utf8_of(u"aéя\U0001f600"), "aéя😀");
  const char16_t halves[] = {0xd83d, u'x', 0xde00, 0};
  EXPECT_EQ(utf8_of({halves, 4}), "\ufffdx\ufffd\ufffd");
}

}  // namespace
}  // namespace tailback
