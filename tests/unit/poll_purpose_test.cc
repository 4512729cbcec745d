// What polls of one descriptor wait for, and what that means for stalls.
#include <gtest/gtest.h>

#include "instrument/contract/wait_key.h"
#include "runtime/loops/workers.h"
#include "tests/unit/scripted_target.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;

constexpr int kEventFd = 7;
constexpr int kConnection = 8;
constexpr int kListener = 9;
constexpr const char* kRuby = "/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2";

CallView poll_of(uint64_t count, Function function = Function::ppoll) {
  CallView call;
  call.function = function;
  call.arguments[1] = count;
  return call;
}

class PollPurposeTest : public testing::Test {
 protected:
  PollPurposeTest() {
    target_.proc_.facts[kEventFd] = {DescriptorKind::kEvent, "eventfd"};
    target_.proc_.facts[kConnection] = {DescriptorKind::kSocket,
                                        "tcp 127.0.0.1:80 → 127.0.0.1:50000"};
    target_.proc_.facts[kListener] = {DescriptorKind::kSocket, "tcp 127.0.0.1:80 (listening)"};
  }

  PollPurpose purpose(std::optional<int> fd, const CallView& call, std::string_view module = "") {
    target_.sampler_->polled = fd;
    return purpose_of_poll(target_.proc_, *target_.sampler_, ScriptedTarget::kPid, call, module);
  }

  ScriptedTarget target_;
};

TEST_F(PollPurposeTest, Connection_OneConnection) {
  EXPECT_EQ(purpose(kConnection, poll_of(1)), PollPurpose::kOneConnection);
  EXPECT_EQ(purpose(kConnection, poll_of(1, Function::poll)), PollPurpose::kOneConnection);
  EXPECT_EQ(purpose(kConnection, poll_of(1), kRuby), PollPurpose::kOneConnection);
}

TEST_F(PollPurposeTest, OtherPolls_Events) {
  EXPECT_EQ(purpose(kListener, poll_of(1)), PollPurpose::kEvents);
  EXPECT_EQ(purpose(kConnection, poll_of(2)), PollPurpose::kEvents);
  EXPECT_EQ(purpose(kConnection, poll_of(2), kRuby), PollPurpose::kEvents);
  EXPECT_EQ(purpose(kConnection, poll_of(1, Function::select)), PollPurpose::kEvents);
  EXPECT_EQ(purpose(std::nullopt, poll_of(1)), PollPurpose::kEvents);
  EXPECT_EQ(purpose(-1, poll_of(1)), PollPurpose::kEvents);
  EXPECT_EQ(purpose(1000, poll_of(1)), PollPurpose::kEvents);
}

TEST_F(PollPurposeTest, EventFdInRuby_InterpreterSleep) {
  EXPECT_EQ(purpose(kEventFd, poll_of(1), kRuby), PollPurpose::kInterpreterSleep);
  EXPECT_EQ(purpose(kEventFd, poll_of(1), "/usr/bin/ruby3.1"), PollPurpose::kInterpreterSleep);
  EXPECT_EQ(purpose(kEventFd, poll_of(1), "/usr/lib/libglib-2.0.so.0"), PollPurpose::kEvents);
  EXPECT_EQ(purpose(kEventFd, poll_of(1), ""), PollPurpose::kEvents);
  EXPECT_EQ(purpose(kEventFd, poll_of(2), kRuby), PollPurpose::kInterpreterSleep);
  EXPECT_EQ(purpose(kEventFd, poll_of(2), ""), PollPurpose::kEvents);
  EXPECT_EQ(purpose(kEventFd, poll_of(3), kRuby), PollPurpose::kEvents);
}

// A thread that polls an eventfd at one place, and does something else for long now and then.
class PollingThreadTest : public PollPurposeTest {
 protected:
  PollingThreadTest() {
    contract::WaitSite& site = loop_.site();
    site.key.store(contract::call_site_key(site.call_site));
    site.function = static_cast<uint32_t>(Function::ppoll);
    loop_.record().call.function.store(site.function);
    loop_.record().call.arguments[1] = 1;
    target_.sampler_->polled = kEventFd;
  }
  void wait_in(const char* module) {
    Mapping mapping;
    mapping.begin = RemoteAddress(0x1000);
    mapping.end = RemoteAddress(0x2000);
    mapping.executable = true;
    mapping.path = module;
    target_.sampler_->wait_modules = std::make_shared<const ModuleMap>(std::vector{mapping});
  }
  size_t stalls_after_long_iteration() {
    detection_.poll();
    for (int i = 0; i < 30; ++i) {
      loop_.iterate(1, milliseconds(1));
      detection_.run(milliseconds(20));
    }
    loop_.begin_iteration();
    loop_.enter(Function::usleep, 0x4000);
    detection_.run(milliseconds(300));
    loop_.end_iteration();
    detection_.run(milliseconds(40));
    detection_.detection.finish();
    return detection_.all<StallSeen>().size();
  }

  ScriptedLoop loop_{target_, 0};
  ScriptedDetection detection_{target_};
};

TEST_F(PollingThreadTest, EventFdOfRuby_NoLoop) {
  wait_in(kRuby);
  EXPECT_EQ(stalls_after_long_iteration(), 0u);
}

TEST_F(PollingThreadTest, EventFdOfProgram_Loop) {
  wait_in("/srv/app");
  EXPECT_EQ(stalls_after_long_iteration(), 1u);
}

TEST_F(PollingThreadTest, OtherDescriptorInRuby_Loop) {
  wait_in(kRuby);
  target_.sampler_->polled = kListener;
  EXPECT_EQ(stalls_after_long_iteration(), 1u);
}

}  // namespace
}  // namespace tailback
