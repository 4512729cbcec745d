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
      false));
}

TEST(IdleStack, TokioDriverFunctionNamedPark_Idle) {
  EXPECT_TRUE(is_idle_stack({kSyscall, frame("tokio::runtime::io::driver::Driver::park_timeout"),
                             frame("tokio::runtime::scheduler::current_thread::Context::run")},
                            false));
}

TEST(IdleStack, WaitingTokioTask_NotIdle) {
  EXPECT_FALSE(
      is_idle_stack({kSyscall, frame("std::sys::unix::futex::futex_wait"), frame("app::receive"),
                     frame("tokio::runtime::task::raw::poll"),
                     frame("tokio::runtime::scheduler::multi_thread::worker::Context::run_task"),
                     frame("tokio::runtime::scheduler::multi_thread::worker::Context::run")},
                    true));
}

TEST(IdleStack, AsioScheduler_Idle) {
  const Frame run = frame("boost::asio::detail::scheduler::do_run_one(...)");
  EXPECT_TRUE(is_idle_stack({kConditionWait, run, frame("worker()"), frame("main")}, false));
  EXPECT_TRUE(is_idle_stack(
      {kConditionWait, frame("void boost::asio::detail::posix_event::wait<...>(...)"), run},
      false));
}

TEST(IdleStack, WaitingAsioHandler_NotIdle) {
  EXPECT_FALSE(is_idle_stack(
      {kConditionWait, frame("wait_for_answer(boost::asio::detail::scheduler::operation*)"),
       frame("boost::asio::detail::scheduler::do_run_one(...)"), frame("main")},
      true));
}

TEST(IdleStack, NoNames_SharedLoopDecides) {
  const std::vector<Frame> stack = {kConditionWait, frame(""), frame(""), frame("main"),
                                    frame("_start")};
  EXPECT_TRUE(is_idle_stack(stack, true));
  EXPECT_FALSE(is_idle_stack(stack, false));
  EXPECT_FALSE(is_idle_stack({kConditionWait, frame("wait_for_answer"), frame("main")}, true));
  EXPECT_FALSE(is_idle_stack({}, true));
}

}  // namespace
}  // namespace tailback
