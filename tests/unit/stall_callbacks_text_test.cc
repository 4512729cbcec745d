// Reports of iterations with several callbacks, and rows that look alike.
#include <gtest/gtest.h>

#include "report_samples.h"
#include "runtime/report/json_record.h"
#include "runtime/report/record_parser.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/summary_text.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;

// Two callbacks that compute in one function, which is to blame.
Stall two_callbacks() {
  use_utc();
  Stall stall = sample_sleep();
  stall.call.reset();
  stall.cause = Cause::kCpu;
  const std::string server = "/opt/server/bin/server";
  const Frame compute = sample_frame("compute", "src/poll.cc", 5, server, 0x10);
  const Frame loop = sample_frame("run_loop", "src/loop.cc", 30, server, 0x40);
  const Frame sensors = sample_frame("poll_sensors", "src/poll.cc", 12, server, 0x20);
  const Frame meters = sample_frame("poll_meters", "src/poll.cc", 16, server, 0x30);
  stall.stack = {compute, sensors, loop};
  stall.culprit = 0;
  stall.callbacks = {{"", sensors, 3, milliseconds(70)}, {"", meters, 2, milliseconds(30)}};
  stall.stacks.resize(2);
  stall.stacks[0] = {stall.stack, 0, true, "", 3, milliseconds(70), 0};
  stall.stacks[1] = {{compute, meters, loop}, 0, true, "", 2, milliseconds(30), 1};
  return stall;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(SeveralCallbacks, FullReport_SharesAndSecondStack) {
  EXPECT_EQ(
      full_stall_text(two_callbacks(), {}),
      R"(tailback: event loop blocked for 400 ms by at least 2 callbacks: cpu in compute (src/poll.cc:5)
  loop     server[4711], thread io-0[4713], epoll_wait on fd 5
  callbacks 70 % poll_sensors (src/poll.cc:12), 30 % poll_meters (src/poll.cc:16)
  since    2025-11-22 15:13:01.123 +00:00
  stack    3 samples
    #0  > compute       src/poll.cc:5
    #1    poll_sensors  src/poll.cc:12
    #2    run_loop      src/loop.cc:30
  stack    of another callback, 2 samples
    #0  > compute      src/poll.cc:5
    #1    poll_meters  src/poll.cc:16
    #2    run_loop     src/loop.cc:30
  pending  12 events were ready when the loop came back
  advice   Use a timer of the loop instead of a sleep.
)");
}

TEST(SeveralCallbacks, Repeat_HasTheirCount) {
  EXPECT_TRUE(repeated_stall_text(two_callbacks(), nullptr)
                  .starts_with("tailback: again, 400 ms by at least 2 callbacks: cpu in compute"));
}

TEST(SeveralCallbacks, TasksOfOneFunction_NamedOnceWithoutSecondStack) {
  Stall stall = two_callbacks();
  stall.callbacks[1].entry = stall.callbacks[0].entry;
  stall.callbacks[1].entry.line = 13;
  stall.callbacks[0].task = "Task-3";
  stall.callbacks[1].task = "Task-5";
  const std::string text = full_stall_text(stall, {});
  EXPECT_TRUE(
      has(text, "\n  callbacks 70 % Task-3, 30 % Task-5, in poll_sensors (src/poll.cc:12)\n"))
      << text;
  EXPECT_FALSE(has(text, "of another callback")) << text;
}

TEST(SeveralCallbacks, TasksOfUnknownFunctions_HaveTheirNames) {
  Stall stall = two_callbacks();
  for (SampledCallback& callback : stall.callbacks) callback.entry = {};
  stall.callbacks[0].task = "Task-3";
  stall.callbacks[1].task = "Task-5";
  const std::string text = full_stall_text(stall, {});
  EXPECT_TRUE(has(text, "\n  callbacks 70 % Task-3, 30 % Task-5\n")) << text;
}

TEST(SeveralCallbacks, OneCallback_NotMentioned) {
  Stall stall = two_callbacks();
  stall.callbacks.pop_back();
  stall.stacks[1].callback.reset();
  EXPECT_FALSE(has(full_stall_text(stall, {}), "callback"));
}

TEST(SeveralCallbacks, Recording_ReadsBackTheSame) {
  Stall stall = two_callbacks();
  stall.callbacks[1].task = "Task-5";
  stall.callbacks[1].entry = {};
  const auto back = std::get<Stall>(parse_record(json_line(stall)));
  ASSERT_EQ(back.callbacks.size(), 2u);
  EXPECT_EQ(back.callbacks[0].entry.function, "poll_sensors");
  EXPECT_EQ(back.callbacks[0].task, "");
  EXPECT_EQ(back.callbacks[1].task, "Task-5");
  EXPECT_EQ(back.callbacks[1].entry, Frame{});
  EXPECT_EQ(back.stacks[1].callback, 1u);
  EXPECT_EQ(json_line(back), json_line(stall));
}

TEST(CulpritTable, RowsThatLookAlike_HaveTheirCallers) {
  CulpritTally tally;
  Stall stall = two_callbacks();
  tally.add(stall);
  stall.stack = stall.stacks[1].stack;
  stall.fingerprint = "meters";
  tally.add(stall);
  Stall other = two_callbacks();
  other.stack[0].function = "wait";
  other.fingerprint = "other";
  tally.add(other);
  const std::string text = culprit_table(tally, 10, "");
  for (const char* row : {"compute (src/poll.cc:5), from poll_sensors (src/poll.cc:12)  cpu ",
                          "compute (src/poll.cc:5), from poll_meters (src/poll.cc:16)   cpu ",
                          "wait (src/poll.cc:5)                                         cpu "}) {
    EXPECT_TRUE(has(text, row)) << text;
  }
}

TEST(CulpritTable, RowsThatDifferInTheirCall_HaveIt) {
  CulpritTally tally;
  Stall stall = sample_sleep();
  tally.add(stall);
  stall.call->function = "poll";
  stall.fingerprint = "poll";
  tally.add(stall);
  const std::string text = culprit_table(tally, 10, "");
  EXPECT_TRUE(has(text, "load_config(char const*) (src/config.cc:42), in poll ")) << text;
}

}  // namespace
}  // namespace tailback
