// Orders of locks in text and JSON, read back, and kept back by rules.
#include <gtest/gtest.h>

#include <variant>

#include "runtime/report/finding_text.h"
#include "runtime/report/json_record.h"
#include "runtime/report/lock_order_text.h"
#include "runtime/report/record_parser.h"
#include "runtime/report/summary.h"
#include "runtime/suppress/suppressing_reporter.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

Frame frame(const char* function, int line) {
  Frame frame;
  frame.function = function;
  frame.file = "/src/bank.cc";
  frame.line = line;
  frame.module = "/usr/bin/bank";
  frame.offset = 0x1000;
  return frame;
}

LockOrder transfer_and_audit() {
  LockOrder order;
  order.time = WallTime(std::chrono::seconds(1700000000));
  order.pid = 4711;
  order.process = "bank";
  order.locks = {{0x55d0c2a1f2a0, "mutex", "accounts", {}},
                 {0x7f00deadbee0, "rwlock", "", frame("make_journal", 7)}};
  order.steps = {
      {4712,
       "teller",
       0,
       1,
       "mutex",
       "write",
       frame("transfer", 11),
       {frame("transfer", 12), frame("main", 90)},
       0,
       true},
      {4713, "", 1, 0, "read", "mutex", frame("audit", 30), {frame("audit", 31)}, 0, false}};
  order.advice = "Take them in one order.";
  order.fingerprint = "00112233445566aa";
  return order;
}

TEST(LockOrderReport, Text_LocksThreadsPlaces) {
  EXPECT_EQ(full_lock_order_text(transfer_and_audit(), {}),
            "tailback: lock-order inversion: accounts and 0x7f00deadbee0, in transfer "
            "(/src/bank.cc:12) and audit (/src/bank.cc:31)\n"
            "  process bank[4711]\n"
            "  lock accounts (mutex)\n"
            "  lock 0x7f00deadbee0 (rwlock, initialised in make_journal (/src/bank.cc:7))\n"
            "  thread teller (4712) took 0x7f00deadbee0 for writing while it held accounts, taken "
            "in transfer (/src/bank.cc:11)\n" +
                std::string("    #0  > transfer  /src/bank.cc:12\n"
                            "    #1    main      /src/bank.cc:90\n"
                            "  thread 4713 took accounts while it held 0x7f00deadbee0 for reading, "
                            "taken in audit (/src/bank.cc:30)\n"
                            "    #0  > audit  /src/bank.cc:31\n"
                            "    (the stack may go on)\n"
                            "  Take them in one order.\n"));
}

TEST(LockOrderReport, FoundBySanitizer_SaidInText) {
  LockOrder order = transfer_and_audit();
  order.found_by = "ThreadSanitizer";
  EXPECT_NE(full_lock_order_text(order, {}).find("bank[4711], found by ThreadSanitizer\n"),
            std::string::npos);
}

TEST(LockOrderReport, EmptyRecord_StillText) {
  LockOrder order;
  order.steps.emplace_back();
  order.steps.back().taken = 5;
  EXPECT_NE(full_lock_order_text(order, {}).find("an unknown lock"), std::string::npos);
}

TEST(LockOrderReport, Written_ReadBack) {
  const LockOrder order = transfer_and_audit();
  const Record record = parse_record(json_line(order));
  ASSERT_TRUE(std::holds_alternative<LockOrder>(record));
  const LockOrder& read = std::get<LockOrder>(record);
  EXPECT_EQ(read.time, order.time);
  EXPECT_EQ(read.locks[0].address, order.locks[0].address);
  EXPECT_EQ(read.locks[1].initialised, order.locks[1].initialised);
  EXPECT_EQ(read.steps[0].held_at, order.steps[0].held_at);
  EXPECT_EQ(read.steps[0].stack, order.steps[0].stack);
  EXPECT_EQ(json_line(read), json_line(order));
}

TEST(LockOrderReport, StepBeyondLocks_Refused) {
  LockOrder order = transfer_and_audit();
  order.steps[0].held = 7;
  EXPECT_THROW(parse_record(json_line(order)), MalformedRecord);
}

TEST(LockOrderReport, EndRecord_CountsReadBack) {
  SessionEnd end;
  end.counts[RecordKind::kLockOrder] = {1, 2, 3, 4};
  end.losses.lock_acquisitions = 5;
  end.losses.lock_programs = 6;
  end.losses.lock_stacks = 7;
  const auto read = std::get<SessionEnd>(parse_record(json_line(end)));
  EXPECT_EQ(json_line(read), json_line(end));
  EXPECT_EQ(read.losses.lock_programs, 6u);
  EXPECT_EQ(read.losses.lock_stacks, 7u);
}

TEST(LockOrderReport, NoCounts_Empty) {
  EXPECT_EQ(counts_text(RecordKind::kLockOrder, {}), "");
  EXPECT_EQ(counts_text(RecordKind::kLockOrder, {2, 3, 4, 1}),
            "tailback: 2 lock-order inversions, 3 more like these, 4 suppressed, 1 not reported "
            "(address reused)\n");
}

TEST(LockOrderReport, Summary_ListsInversions) {
  Summary summary;
  summary.report(transfer_and_audit());
  summary.report(transfer_and_audit());
  summary.report(SessionEnd{});
  EXPECT_NE(summary.text().find("accounts and 0x7f00deadbee0, in transfer"), std::string::npos)
      << summary.text();
  EXPECT_NE(summary.text().find("(2 times)"), std::string::npos);
}

TEST(LockOrderReport, MatchingRule_Suppressed) {
  RecordingReporter behind;
  SuppressingReporter reporter({*parse_rule("cause=lock function=audit")}, behind);
  LockOrder other = transfer_and_audit();
  other.steps[1].stack = {frame("verify", 40)};
  reporter.report(transfer_and_audit());
  reporter.report(other);
  SessionEnd end;
  end.counts[RecordKind::kLockOrder].reported = 2;
  reporter.report(end);
  ASSERT_EQ(behind.all<LockOrder>().size(), 1u);
  EXPECT_EQ(reporter.reported("deadlock"), 1u);
  EXPECT_EQ(behind.all<SessionEnd>()[0].counts[RecordKind::kLockOrder].reported, 1u);
  EXPECT_EQ(behind.all<SessionEnd>()[0].counts[RecordKind::kLockOrder].suppressed, 1u);
}

}  // namespace
}  // namespace tailback
