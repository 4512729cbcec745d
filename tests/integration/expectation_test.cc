// The harness itself: a comparison that could not fail would make every other test worthless.

#include "tests/integration/harness/expectation.h"

#include <gtest/gtest.h>

#include "tests/integration/harness/recording.h"

namespace tailback::test {
namespace {

constexpr char kSource[] =
    "void nap() {\n"
    "  // EXPECT stall on=\"sleep nanosleep\" cause=sleep call=nanosleep|sleep\n"
    "  // object=\"the bed\" function=nap\n"
    "  nanosleep();\n"
    "}\n";

Json matching_stall() {
  return Json::parse(R"json({
    "type": "stall", "state": "ended", "pid": 1, "tid": 1, "duration_ms": 300, "loop": {},
    "cause": "sleep",
    "call": {"function": "nanosleep", "object": "in the bed", "arguments": {}},
    "contributors": [{"function": "nanosleep", "count": 20}],
    "culprit": 1,
    "stack": [
      {"function": "clock_nanosleep", "file": null, "line": null, "module": "libc.so.6"},
      {"function": "demo::nap()", "file": "/src/nap.cc", "line": 4, "module": "demo"}
    ]
  })json");
}

Expectation only_expectation(std::string_view text) {
  const std::vector<Expectation> all = parse_expectations(text, "nap.cc");
  EXPECT_EQ(all.size(), 1u);
  return all.at(0);
}

TEST(Expectation, SeveralLines_AllWordsRead) {
  const Expectation expected = only_expectation(kSource);
  EXPECT_EQ(expected.kind, Expectation::Kind::kStall);
  EXPECT_EQ(expected.on, "sleep nanosleep");
  EXPECT_EQ(expected.causes, std::vector<std::string>{"sleep"});
  EXPECT_EQ(expected.calls, (std::vector<std::string>{"nanosleep", "sleep"}));
  EXPECT_EQ(expected.objects, std::vector<std::string>{"the bed"});
  EXPECT_EQ(expected.function, "nap");
  EXPECT_EQ(expected.first_line, 4);
  EXPECT_EQ(expected.last_line, 4);
  EXPECT_EQ(expected.place, "nap.cc:2");
}

TEST(Expectation, Line_RelativeToCommentEnd) {
  const Expectation expected =
      only_expectation("// EXPECT stall cause=cpu function=f\n// lines=+1..+7\nvoid f() {\n");
  EXPECT_EQ(expected.first_line, 3);
  EXPECT_EQ(expected.last_line, 9);
}

TEST(Expectation, Unreadable_Refused) {
  for (const char* text : {
           "// EXPECT stal cause=cpu function=f",
           "// EXPECT stall cause=cpu",
           "// EXPECT stall function=f",
           "// EXPECT stall cause=cpu function=f colour=red",
           "// EXPECT stall cause=cpu function=f lines=+x..+2",
           "// EXPECT stall cause=cpu function=f lines=1..2",
           "// EXPECT stall cause=cpu function=f on=\"open",
           "// EXPECT stall cause=cpu function=f length_ms=long",
           "// EXPECT stall cause=cpu and function=f",
       }) {
    EXPECT_THROW(parse_expectations(text, "f.cc"), std::runtime_error) << text;
  }
}

TEST(Expectation, RightStall_Met) {
  EXPECT_TRUE(differences(only_expectation(kSource), matching_stall()).empty());
}

TEST(Expectation, WrongProperty_NotMet) {
  const Expectation expected = only_expectation(kSource);
  const std::vector<std::pair<const char*, Json>> changes = {
      {"/cause", "lock"},
      {"/call", nullptr},
      {"/call/function", "read"},
      {"/call/object", nullptr},
      {"/call/object", "the sofa"},
      {"/culprit", 0},
      {"/culprit", nullptr},
      {"/culprit", 2},
      {"/stack/1/function", "demo::napping()"},
      {"/stack/1/function", nullptr},
      {"/stack/1/file", "/src/knap.cc"},
      {"/stack/1/line", 3},
      {"/stack/1/line", nullptr},
  };
  for (const auto& [where, value] : changes) {
    Json stall = matching_stall();
    stall[Json::json_pointer(where)] = value;
    EXPECT_FALSE(differences(expected, stall).empty()) << where << " = " << value;
  }
}

TEST(Expectation, Contributors_Counted) {
  const char* source = "// EXPECT stall cause=sleep contributor=nanosleep*20 function=nap\n\n\n";
  Expectation expected = only_expectation(source);
  expected.first_line = expected.last_line = 4;
  Json stall = matching_stall();
  EXPECT_TRUE(differences(expected, stall).empty());
  stall["contributors"][0]["count"] = 19;
  EXPECT_FALSE(differences(expected, stall).empty());
}

TEST(Expectation, Length_FiveMillisecondsOrOnePercent) {
  EXPECT_TRUE(length_is(405, 400));
  EXPECT_TRUE(length_is(391, 400));
  EXPECT_FALSE(length_is(410, 400));
  EXPECT_FALSE(length_is(390, 400));
}

Recording of_lines(const std::string& text) {
  return Recording::parse(text, "text");
}

TEST(RecordingLaws, TornLine_Refused) {
  EXPECT_EQ(of_lines("{}\n{\"type\":").lines().size(), 1u);
  EXPECT_THROW(of_lines("{}\nnonsense\n"), std::runtime_error);
}

TEST(RecordingLaws, EachStall_OneFinalLine) {
  const Recording twice = of_lines(
      "{\"type\":\"session\"}\n"
      "{\"type\":\"stall\",\"id\":1,\"state\":\"ended\",\"duration_ms\":1}\n"
      "{\"type\":\"stall\",\"id\":1,\"state\":\"ended\",\"duration_ms\":1}\n");
  const Recording never = of_lines(
      "{\"type\":\"session\"}\n"
      "{\"type\":\"stall\",\"id\":1,\"state\":\"ongoing\",\"duration_ms\":1}\n"
      "{\"type\":\"end\",\"stalls\":0,\"stalled_ms\":0}\n");
  const auto mentions = [](const Recording& recording, const char* text) {
    for (const std::string& fault : recording.faults()) {
      if (fault.find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(mentions(twice, "a line follows its final one"));
  EXPECT_TRUE(mentions(never, "has no final line"));
  EXPECT_FALSE(mentions(twice, "has no final line"));
}

TEST(RecordingLaws, Recording_ValidBySchema) {
  EXPECT_FALSE(of_lines("{\"type\":\"session\"}\n").faults().empty());
}

}  // namespace
}  // namespace tailback::test
