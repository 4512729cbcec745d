// Locks, their owners and deadlocks, for people.
#include "runtime/report/lock_text.h"

#include <gtest/gtest.h>

#include "runtime/report/deadlock_text.h"
#include "runtime/report/stall_text.h"
#include "tests/unit/report_samples.h"

namespace tailback {
namespace {

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST(LockText, Owner_WhatItDoes) {
  LockOwner owner = sample_owner();
  EXPECT_EQ(owner_text(owner),
            "flusher[4715], which is in fsync of /srv/data.aof at flush_all (store.cc:88)");
  owner.state = OwnerState::kRunnable;
  owner.stack.clear();
  EXPECT_EQ(owner_text(owner), "flusher[4715], which is ready to run and gets no CPU");
  owner.state = OwnerState::kEnded;
  owner.process.clear();
  EXPECT_EQ(owner_text(owner), "a lost owner: thread 4715, which has ended");
  owner = sample_owner();
  owner.tid = 0;
  EXPECT_TRUE(has(owner_text(owner), "process server[4711]"));
}

TEST(LockText, Lock_KindAndType) {
  Lock lock = sample_lock("cache_mutex");
  EXPECT_EQ(lock_text(lock), "cache_mutex, a mutex (recursive)");
  lock.kind = LockKind::kRwlock;
  lock.type = "write";
  lock.holders = "held by 3 readers";
  EXPECT_EQ(lock_text(lock), "cache_mutex, a read-write lock (write), held by 3 readers");
}

TEST(LockText, StallOnLock_OwnersWithStacks) {
  Stall stall = sample_sleep();
  stall.cause = Cause::kLock;
  stall.call->object = "cache_mutex, held by thread flusher (4715)";
  stall.lock = sample_lock("cache_mutex");
  stall.owners = {sample_owner()};
  const std::string text = full_stall_text(stall, {});
  EXPECT_TRUE(has(text,
                  ", on cache_mutex, held by thread flusher (4715), which is in fsync of "
                  "/srv/data.aof at flush_all (store.cc:88)\n"))
      << text;
  EXPECT_TRUE(has(text, "  lock     cache_mutex, a mutex (recursive)\n")) << text;
  EXPECT_TRUE(has(text, "  held by  flusher[4715], which is in fsync")) << text;
  EXPECT_TRUE(has(text, "#0  > flush_all  store.cc:88")) << text;
}

TEST(LockText, HostileNames_Escaped) {
  LockOwner owner = sample_owner();
  owner.thread = "a\x1b[2Jb\n";
  owner.call->object = "x\ny";
  EXPECT_EQ(owner_text(owner).find_first_of("\x1b\n"), std::string::npos);
  Lock lock = sample_lock("a\nb");
  lock.holders = "c\x1b";
  EXPECT_EQ(lock_text(lock).find_first_of("\x1b\n"), std::string::npos);
}

TEST(DeadlockText, Cycle_WaitersAndHolders) {
  const std::string text = full_deadlock_text(sample_deadlock(), {});
  EXPECT_EQ(text.find("tailback: deadlock of 2 threads: left[4720] waits for lock_b, held by "
                      "right[4721]; right[4721] waits for lock_a, held by left[4720]\n"),
            0u)
      << text;
  EXPECT_TRUE(has(text, "512 ms after the last of them began to wait")) << text;
  EXPECT_TRUE(has(text, "  holds    lock_a, a mutex (recursive)\n")) << text;
  EXPECT_TRUE(has(text, "take_both  server.cc:12")) << text;
}

TEST(DeadlockText, OneThread_SaidSo) {
  Deadlock deadlock = sample_deadlock();
  deadlock.kind = DeadlockKind::kSelf;
  deadlock.threads.resize(1);
  deadlock.threads[0].waits_for = {0};
  EXPECT_EQ(deadlock_headline(deadlock),
            "deadlock: left[4720] waits for lock_b, which it holds itself");
  deadlock.kind = DeadlockKind::kLostOwner;
  deadlock.threads[0].waits_for.clear();
  EXPECT_EQ(deadlock_headline(deadlock),
            "deadlock with a lost owner: left[4720] waits for lock_b, whose owner has ended");
}

}  // namespace
}  // namespace tailback
