// Which waits are those of a pool's worker without work.
#include "runtime/explain/idle_stack.h"

#include <gtest/gtest.h>

#include <string>

namespace tailback {
namespace {

Frame frame(const std::string& function, const std::string& module = "/srv/app") {
  Frame made;
  made.function = function;
  made.module = module;
  return made;
}

const Frame kSyscall = frame("syscall", "/usr/lib/x86_64-linux-gnu/libc.so.6");
const Frame kConditionWait = frame("pthread_cond_wait", "/usr/lib/x86_64-linux-gnu/libc.so.6");

TEST(IdleStack, ParkedTokioWorker_Idle) {
  EXPECT_TRUE(is_idle_stack(
      {kSyscall, frame("std::sys::unix::futex::futex_wait"),
       frame("tokio::runtime::scheduler::multi_thread::park::Inner::park_condvar"),
       frame("tokio::runtime::scheduler::multi_thread::worker::Context::run"), frame("main")},
      LoopSharing::kAlone));
}

TEST(IdleStack, TokioDriverFunctionNamedPark_Idle) {
  EXPECT_TRUE(is_idle_stack({kSyscall, frame("tokio::runtime::io::driver::Driver::park_timeout"),
                             frame("tokio::runtime::scheduler::current_thread::Context::run")},
                            LoopSharing::kAlone));
}

TEST(IdleStack, WaitingTokioTask_NotIdle) {
  EXPECT_FALSE(
      is_idle_stack({kSyscall, frame("std::sys::unix::futex::futex_wait"), frame("app::receive"),
                     frame("tokio::runtime::task::raw::poll"),
                     frame("tokio::runtime::scheduler::multi_thread::worker::Context::run_task"),
                     frame("tokio::runtime::scheduler::multi_thread::worker::Context::run")},
                    LoopSharing::kShared));
}

TEST(IdleStack, AsioScheduler_Idle) {
  const Frame run = frame("boost::asio::detail::scheduler::do_run_one(...)");
  EXPECT_TRUE(
      is_idle_stack({kConditionWait, run, frame("worker()"), frame("main")}, LoopSharing::kAlone));
  EXPECT_TRUE(is_idle_stack(
      {kConditionWait, frame("void boost::asio::detail::posix_event::wait<...>(...)"), run},
      LoopSharing::kAlone));
}

TEST(IdleStack, WaitingAsioHandler_NotIdle) {
  EXPECT_FALSE(is_idle_stack(
      {kConditionWait, frame("wait_for_answer(boost::asio::detail::scheduler::operation*)"),
       frame("boost::asio::detail::scheduler::do_run_one(...)"), frame("main")},
      LoopSharing::kShared));
}

TEST(IdleStack, NoNames_SharedLoopDecides) {
  const std::vector<Frame> stack = {kConditionWait, frame(""), frame(""), frame("main"),
                                    frame("_start")};
  EXPECT_TRUE(is_idle_stack(stack, LoopSharing::kShared));
  EXPECT_FALSE(is_idle_stack(stack, LoopSharing::kAlone));
  EXPECT_FALSE(is_idle_stack({kConditionWait, frame("wait_for_answer"), frame("main")},
                             LoopSharing::kShared));
  EXPECT_FALSE(is_idle_stack({}, LoopSharing::kShared));
}

TEST(IdleStack, LoopServedByOthers_Idle) {
  const std::vector<Frame> stack = {kConditionWait, frame("wait_for_work"), frame("schedule"),
                                    frame("main")};
  EXPECT_TRUE(is_idle_stack(stack, LoopSharing::kServed));
  EXPECT_FALSE(is_idle_stack(stack, LoopSharing::kShared));
}

TEST(IdleStack, TaskOfServedTokioLoop_NotIdle) {
  EXPECT_FALSE(
      is_idle_stack({kSyscall, frame("std::sys::unix::futex::futex_wait"), frame("app::lock"),
                     frame("tokio::runtime::scheduler::multi_thread::worker::Context::run_task")},
                    LoopSharing::kServed));
}

TEST(IdleStack, BlockInPlace_HandsLoopOn) {
  const Frame task = frame("tokio::runtime::task::raw::poll");
  EXPECT_TRUE(has_handed_loop_on(
      {frame("clock_nanosleep"), frame("app::lookup"),
       frame("tokio::runtime::scheduler::multi_thread::worker::block_in_place"), task}));
  EXPECT_FALSE(has_handed_loop_on({frame("clock_nanosleep"), frame("app::block_in_place"), task}));
}

TEST(IdleStack, TokioBlockingPool_IdleOutsideTasksOnly) {
  const Frame pool = frame("tokio::runtime::blocking::pool::Inner::run");
  const Frame wait = frame("std::sys::unix::futex::futex_wait");
  EXPECT_TRUE(is_idle_stack({kSyscall, wait, frame("parking_lot::condvar::Condvar::wait_until"),
                             pool, frame("std::thread::spawn")},
                            LoopSharing::kAlone));
  EXPECT_FALSE(is_idle_stack({kSyscall, wait, frame("app::lookup"), pool}, LoopSharing::kAlone));
}

}  // namespace
}  // namespace tailback
