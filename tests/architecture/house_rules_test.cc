// The rules of the house: that they find what breaks them, and that the sources keep them.
#include "tests/architecture/house_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tailback {
namespace {

constexpr size_t kMostLines = 520;

std::string joined(const Violations& violations) {
  std::string text;
  for (const std::string& line : violations) text += "\n  " + line;
  return text;
}

// What breaks a rule in one made-up file.
Violations in_runtime(std::string path, std::string_view text) {
  return forbidden_uses({parse_source(std::move(path), text)}, house_rooms());
}
Violations in_instrument(std::string path, std::string_view text) {
  return holes_in_the_wall({parse_source(std::move(path), text)});
}

TEST(ParseSource, Includes_AnyForm) {
  const SourceFile file = parse_source("runtime/analysis/x.cc",
                                       "// #include \"not/this.h\"\n"
                                       "#include \"runtime/analysis/x.h\"\n"
                                       "\n"
                                       "  #  include <vector>  // why\n"
                                       "#include <sys/un.h>");
  ASSERT_EQ(file.includes.size(), 3u);
  EXPECT_EQ(file.includes[0].what, "runtime/analysis/x.h");
  EXPECT_FALSE(file.includes[0].bracketed);
  EXPECT_EQ(file.includes[0].line, 2u);
  EXPECT_EQ(file.includes[1].what, "vector");
  EXPECT_TRUE(file.includes[1].bracketed);
  EXPECT_EQ(file.includes[2].line, 5u);
  EXPECT_EQ(file.lines, 5u);
}

TEST(ParseSource, BuildFile_LinkedRooms) {
  const SourceFile file = parse_source("runtime/x/CMakeLists.txt",
                                       "# tailback_command is not meant\n"
                                       "target_link_libraries(tailback_x PUBLIC tailback_values\n"
                                       "  PRIVATE tailback_analysis)\n");
  EXPECT_EQ(file.linked_rooms, (std::vector<std::string>{"x", "values", "analysis"}));
}

TEST(Rules, ConformingFiles_Accepted) {
  EXPECT_TRUE(in_instrument("instrument/recorder/x.cc",
                            "#include <atomic>\n#include <sys/mman.h>\n#include <time.h>\n"
                            "#include \"instrument/recorder/x.h\"\n"
                            "#include \"instrument/contract/record_contract.h\"\n")
                  .empty());
  EXPECT_TRUE(
      in_runtime("runtime/analysis/x.cc",
                 "#include <fmt/format.h>\n#include <vector>\n#include <sys/types.h>\n"
                 "#include \"runtime/analysis/x.h\"\n#include \"runtime/segment/session.h\"\n"
                 "#include \"instrument/contract/record_contract.h\"\n"
                 "#include \"runtime/report/reporter.h\"\n")
          .empty());
}

TEST(Rules, LibraryInRecorder_Refused) {
  for (const char* line :
       {"#include <string>", "#include <vector>", "#include <spdlog/spdlog.h>",
        "#include <fmt/format.h>", "#include <libunwind.h>", "#include \"runtime/values/stall.h\"",
        "#include \"tests/x.h\"", "#include \"x.h\""}) {
    EXPECT_EQ(in_instrument("instrument/recorder/x.cc", line).size(), 1u) << line;
  }
  EXPECT_EQ(in_instrument("instrument/contract/x.h", "#include \"instrument/recorder/rules.h\"\n"),
            Violations{"instrument/contract/x.h:1: \"instrument/recorder/rules.h\": includes of "
                       "instrument/contract/ only"});
}

TEST(Rules, RecorderInclude_Refused) {
  EXPECT_EQ(in_runtime("runtime/analysis/x.cc", "#include \"instrument/recorder/ring.h\"\n").size(),
            1u);
  EXPECT_EQ(
      in_runtime("runtime/analysis/x.cc", "#include \"tests/unit/private_recorder.h\"\n").size(),
      1u);
  EXPECT_EQ(in_runtime("runtime/analysis/x.cc", "#include \"analysis.h\"\n").size(), 1u);
}

TEST(Rules, UpwardInclude_Refused) {
  EXPECT_EQ(
      in_runtime("runtime/report/x.cc", "#include \"runtime/detectors/detector.h\"\n"),
      Violations{"runtime/report/x.cc:1: \"runtime/detectors/detector.h\": report may not use "
                 "this room"});
  EXPECT_EQ(in_runtime("runtime/report/x.h", "#include \"runtime/launch/child.h\"\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/report/x.h", "#include \"runtime/command/options.h\"\n").size(),
            1u);
  EXPECT_EQ(in_runtime("runtime/capture/x.h", "#include \"runtime/unwind/unwinder.h\"\n").size(),
            1u);
  EXPECT_EQ(in_runtime("runtime/values/x.h", "#include \"runtime/kernel/descriptor.h\"\n").size(),
            1u);
  // One header of a room is not the room.
  EXPECT_EQ(
      in_runtime("runtime/analysis/x.h", "#include \"runtime/report/text_reporter.h\"\n").size(),
      1u);
  EXPECT_EQ(in_runtime("runtime/explain/CMakeLists.txt",
                       "target_link_libraries(tailback_explain PUBLIC tailback_analysis)\n"),
            Violations{"runtime/explain/CMakeLists.txt: explain may not link tailback_analysis"});
}

TEST(Rules, FileOutsideRooms_Refused) {
  EXPECT_EQ(in_runtime("runtime/utils/x.h", "").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/x.h", "").size(), 1u);
}

TEST(Rules, ForeignLibrary_Refused) {
  EXPECT_EQ(in_runtime("runtime/values/x.h", "#include <fmt/format.h>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/values/x.h", "#include <unistd.h>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/analysis/x.cc", "#include <libunwind.h>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/analysis/x.cc", "#include <capstone/capstone.h>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/segment/x.cc", "#include <spdlog/spdlog.h>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/report/x.cc", "#include <CLI/CLI.hpp>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/report/x.cc", "#include <gtest/gtest.h>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/report/x.cc", "#include <boost/any.hpp>\n").size(), 1u);
  EXPECT_EQ(in_runtime("runtime/report/x.cc", "#include <curl.h>\n").size(), 1u);
}

TEST(Rules, CycleInRoomList_Refused) {
  EXPECT_EQ(cycles_among({{"a", {"b"}, {}}, {"b", {"a"}, {}}}),
            Violations{"a uses b, which does not stand above it"});
  EXPECT_EQ(cycles_among({{"a", {"a"}, {}}}).size(), 1u);
  EXPECT_EQ(cycles_among({{"a", {"b/x.h"}, {}}, {"b", {}, {}}}).size(), 1u);
}

TEST(Rules, LongFile_Named) {
  SourceFile file;
  file.path = "runtime/analysis/x.cc";
  file.lines = kMostLines;
  EXPECT_TRUE(too_long_files({file}, kMostLines).empty());
  file.lines = kMostLines + 1;
  EXPECT_EQ(too_long_files({file}, kMostLines),
            Violations{"runtime/analysis/x.cc: 521 lines, of 520 at most"});
}

class House : public ::testing::Test {
 protected:
  static const std::vector<SourceFile>& files() {
    static const std::vector<SourceFile> all =
        read_sources(TAILBACK_SOURCE_DIR, {"instrument", "runtime", "demos", "tests"});
    return all;
  }
  static size_t count_in(std::string_view folder) {
    size_t count = 0;
    for (const SourceFile& file : files()) count += file.is_in(folder);
    return count;
  }
};

TEST_F(House, Sources_Found) {
  EXPECT_GT(count_in("instrument/recorder"), 10u);
  EXPECT_GT(count_in("tests/unit"), 5u);
  for (const Room& room : house_rooms()) {
    EXPECT_GT(count_in("runtime/" + room.name), 0u) << room.name;
  }
}

TEST_F(House, RoomList_NoCycle) {
  EXPECT_TRUE(cycles_among(house_rooms()).empty()) << joined(cycles_among(house_rooms()));
}

TEST_F(House, Wall_NoHoles) {
  const Violations violations = holes_in_the_wall(files());
  EXPECT_TRUE(violations.empty()) << joined(violations);
}

TEST_F(House, Rooms_UseOnlyAllowed) {
  const Violations violations = forbidden_uses(files(), house_rooms());
  EXPECT_TRUE(violations.empty()) << joined(violations);
}

TEST_F(House, Files_BelowLimit) {
  const Violations violations = too_long_files(files(), kMostLines);
  EXPECT_TRUE(violations.empty()) << joined(violations);
}

}  // namespace
}  // namespace tailback
