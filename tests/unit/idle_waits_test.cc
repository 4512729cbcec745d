// Places at which a pool's workers wait for work, in records filled in by hand.
#include "runtime/loops/idle_waits.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <memory>
#include <utility>

#include "instrument/contract/wait_key.h"

namespace tailback {
namespace {

using intercept::Function;

constexpr uint32_t kGeneration = 3;

CallView call(uint64_t call_site, uint64_t stack_pointer,
              Function function = Function::pthread_cond_wait) {
  CallView view;
  view.function = function;
  view.call_site = call_site;
  view.context.stack_pointer = stack_pointer;
  return view;
}

CallView system_call(uint64_t number, uint64_t operation) {
  CallView view = call(0x10, 0x20, Function::syscall);
  view.arguments[0] = number;
  view.arguments[2] = operation;
  return view;
}

TEST(MayBeIdleWait, ThreadAndFutexWaits_True) {
  EXPECT_TRUE(may_be_idle_wait(call(0x10, 0x20)));
  EXPECT_TRUE(may_be_idle_wait(system_call(SYS_futex, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG)));
  EXPECT_TRUE(may_be_idle_wait(system_call(SYS_futex, FUTEX_WAIT)));
  EXPECT_FALSE(may_be_idle_wait(system_call(SYS_futex, FUTEX_WAKE)));
  EXPECT_FALSE(may_be_idle_wait(system_call(SYS_read, 0)));
  EXPECT_TRUE(may_be_idle_wait(call(0x10, 0x20, Function::sem_timedwait)));
  EXPECT_FALSE(may_be_idle_wait(call(0x10, 0x20, Function::nanosleep)));
  EXPECT_FALSE(may_be_idle_wait(call(0x10, 0x20, Function::pthread_mutex_lock)));
}

TEST(IdleWaits, OtherDepth_OtherPlace) {
  const auto record = std::make_unique<contract::ThreadRecord>();
  record->generation.store(kGeneration);
  EXPECT_FALSE(is_idle_wait(*record, call(0, 0)));
  add_idle_wait(*record, kGeneration, 0x10, 0x20);
  EXPECT_TRUE(is_idle_wait(*record, call(0x10, 0x20)));
  EXPECT_FALSE(is_idle_wait(*record, call(0x10, 0x18)));
  EXPECT_FALSE(is_idle_wait(*record, call(0x11, 0x20)));
}

TEST(IdleWaits, NextRecordOwner_None) {
  const auto record = std::make_unique<contract::ThreadRecord>();
  record->generation.store(kGeneration + 1);
  add_idle_wait(*record, kGeneration, 0x10, 0x20);
  EXPECT_FALSE(is_idle_wait(*record, call(0x10, 0x20)));
}

TEST(IdleWaits, PlacesFull_NewestKnown) {
  const auto record = std::make_unique<contract::ThreadRecord>();
  record->generation.store(kGeneration);
  for (uint64_t i = 1; i <= contract::kIdleWaits + 1; ++i)
    add_idle_wait(*record, kGeneration, i, 8);
  EXPECT_TRUE(is_idle_wait(*record, call(contract::kIdleWaits + 1, 8)));
  EXPECT_TRUE(is_idle_wait(*record, call(contract::kIdleWaits, 8)));
}

TEST(LoopSharing, OtherThreadSameEpoll_Shared) {
  void* memory = mmap(nullptr, sizeof(contract::Segment), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& segment = *static_cast<contract::Segment*>(memory);
  segment.header.threads_used.store(2);
  for (contract::ThreadRecord* record : {&segment.threads[0], &segment.threads[1]}) {
    record->state.store(static_cast<uint32_t>(contract::ThreadState::kLive));
    record->wait_sites[0].function = static_cast<uint32_t>(Function::epoll_wait);
    record->wait_sites[0].key.store(contract::descriptor_key(5, 0));
  }
  segment.threads[1].wait_sites[0].iteration_begin.store(50);
  EXPECT_EQ(sharing_of(segment, segment.threads[0], 100), LoopSharing::kShared);
  EXPECT_EQ(sharing_of(segment, segment.threads[0], 49), LoopSharing::kServed);
  // The other thread is in its wait.
  segment.threads[1].wait_sites[0].iteration_begin.store(0);
  EXPECT_EQ(sharing_of(segment, segment.threads[0], 100), LoopSharing::kShared);
  segment.threads[1].call.function.store(static_cast<uint32_t>(Function::epoll_wait));
  EXPECT_EQ(sharing_of(segment, segment.threads[0], 100), LoopSharing::kServed);
  segment.threads[1].process.store(1);
  EXPECT_EQ(sharing_of(segment, segment.threads[0], 0), LoopSharing::kAlone);
  segment.threads[1].process.store(0);
  segment.threads[1].wait_sites[0].key.store(contract::descriptor_key(6, 0));
  EXPECT_EQ(sharing_of(segment, segment.threads[0], 0), LoopSharing::kAlone);
  munmap(memory, sizeof(contract::Segment));
}

// A thread of a pool that only asks the instance, and waits for work elsewhere.
TEST(LoopSharing, TimeoutZeroOnly_Served) {
  void* memory = mmap(nullptr, sizeof(contract::Segment), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& segment = *static_cast<contract::Segment*>(memory);
  segment.header.threads_used.store(1);
  contract::ThreadRecord& record = segment.threads[0];
  record.state.store(static_cast<uint32_t>(contract::ThreadState::kLive));
  record.pid.store(100);
  record.tid.store(101);
  contract::WaitSite& site = record.wait_sites[0];
  site.function = static_cast<uint32_t>(Function::epoll_wait);
  site.key.store(contract::descriptor_key(5, 0));
  for (const auto& [blocking, sharing] :
       {std::pair(contract::SiteBlocking::kUnknown, LoopSharing::kAlone),
        std::pair(contract::SiteBlocking::kSome, LoopSharing::kAlone),
        std::pair(contract::SiteBlocking::kNever, LoopSharing::kServed)}) {
    site.blocking = static_cast<uint16_t>(blocking);
    EXPECT_EQ(sharing_of(segment, record, 100), sharing);
  }
  // A main thread may be in the first iterations of its loop.
  record.tid.store(100);
  EXPECT_EQ(sharing_of(segment, record, 100), LoopSharing::kAlone);
  record.tid.store(101);
  // Polls without a timeout are no epoll's.
  site.function = static_cast<uint32_t>(Function::poll);
  site.key.store(contract::call_site_key(0x10));
  EXPECT_EQ(sharing_of(segment, record, 100), LoopSharing::kAlone);
  munmap(memory, sizeof(contract::Segment));
}

}  // namespace
}  // namespace tailback
