// The demos' sources, as `tailback demo` reads them.
#include <gtest/gtest.h>

#include "runtime/command/demo_catalogue.h"
#include "runtime/command/demo_command.h"
#include "runtime/launch/launch_error.h"

namespace tailback {
namespace {

constexpr char kSource[] =
    "// DEMO twice: it does so twice: with care\n"
    "// DEMO twice_plain: the same\n"
    "// OPTIONS --lock-order --on-deadlock=abort\n"
    "//\n"
    "// EXPECT nothing of=twice_plain\n"
    "\n"
    "  // EXPECT race of=twice\n"
    "  // function=add\n"
    "  add();  // EXPECT no comment of its own\n"
    "// EXPECT stall cause=cpu\n";

TEST(Demos, Sources_Read) {
  const std::vector<Demo> demos = parse_demos(kSource, "a/twice.cc");
  ASSERT_EQ(demos.size(), 2u);
  EXPECT_EQ(demos[0].name, "twice");
  EXPECT_EQ(demos[0].summary, "it does so twice: with care");
  EXPECT_FALSE(demos[0].is_python);
  ASSERT_EQ(demos[0].options.size(), 2u);
  EXPECT_EQ(demos[0].options[1].text, "--on-deadlock=abort");
  EXPECT_EQ(demos[0].options[1].line, 3);
  ASSERT_EQ(demos[0].expected.size(), 2u);
  EXPECT_EQ(demos[0].expected[0].text, "race of=twice function=add");
  EXPECT_EQ(demos[0].expected[0].line, 7);
  EXPECT_EQ(demos[0].expected[1].text, "stall cause=cpu");
  EXPECT_EQ(demos[1].name, "twice_plain");
  ASSERT_EQ(demos[1].expected.size(), 2u);
  EXPECT_EQ(demos[1].expected[0].text, "nothing of=twice_plain");
}

TEST(Demos, Python_CommentsRead) {
  const std::vector<Demo> demos = parse_demos(
      "\"\"\"Text.\n\n// DEMO no: not here\n\"\"\"\n# DEMO python/nap: a nap\n", "nap.py");
  ASSERT_EQ(demos.size(), 1u);
  EXPECT_EQ(demos[0].name, "python/nap");
  EXPECT_TRUE(demos[0].is_python);
}

TEST(Demos, OtherSources_Ignored) {
  EXPECT_TRUE(parse_demos("", "x.cc").empty());
  EXPECT_TRUE(parse_demos("// a DEMO of: nothing\n// DEMO without a colon\n", "x.cc").empty());
  EXPECT_TRUE(read_demos("/nonexistent").empty());
}

TEST(Demos, Options_AsInConfigFile) {
  const ConfigValues values = demo_config(parse_demos(kSource, "a/twice.cc").at(0));
  EXPECT_EQ(values.at("--lock-order").value, "1");
  EXPECT_EQ(values.at("--on-deadlock").value, "abort");
  EXPECT_EQ(values.at("--on-deadlock").where, "a/twice.cc:3: --on-deadlock");
}

TEST(Demos, NotBuilt_Refused) {
  const Demo demo = parse_demos(kSource, "a/twice.cc").at(0);
  try {
    demo_command_line(demo, {"/nonexistent/share", "/nonexistent/bin"});
    FAIL() << "was not refused";
  } catch (const LaunchError& error) {
    EXPECT_EQ(error.exit_status(), kNoSuchProgram);
    EXPECT_STREQ(error.what(),
                 "demo twice: '/nonexistent/bin/twice': is not built; build or install tailback "
                 "again, with its demos");
  }
}

}  // namespace
}  // namespace tailback
