// Whether a thread is still in the call of its record: this process plays the target.
#include "runtime/sampling/call_presence.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "runtime/kernel/kernel_view.h"

namespace tailback {
namespace {

constexpr uint64_t kReturnAddress = 0x401234;

class CallPresenceTest : public ::testing::Test {
 protected:
  CallPresenceTest() {
    call_.context.stack_pointer = top();
    call_.context.instruction_pointer = kReturnAddress;
    stack_[kTop - 1] = kReturnAddress;
  }

  // The caller's stack pointer once the call has returned.
  uint64_t top() const { return reinterpret_cast<uint64_t>(stack_ + kTop); }

  bool is_in(bool open_ended, uint64_t stack_pointer, long system_call = SYS_read) const {
    return is_in_call(getpid(), call_, open_ended, {stack_pointer, system_call}, modules_);
  }

  static Mapping mapping(uint64_t begin, uint64_t end) {
    Mapping one;
    one.begin = RemoteAddress(begin);
    one.end = RemoteAddress(end);
    return one;
  }

  static constexpr size_t kTop = 8;
  alignas(16) uint64_t stack_[16] = {};
  CallView call_;
  ModuleMap modules_;
};

TEST_F(CallPresenceTest, OrdinaryCall_LivesWithFrame) {
  EXPECT_TRUE(is_in(false, top() - 64));
  EXPECT_TRUE(is_in(false, top()));
  EXPECT_FALSE(is_in(false, top() + 8));
  EXPECT_FALSE(is_in(false, top() + 4096, -1));
}

TEST_F(CallPresenceTest, OtherStack_Unknown) {
  EXPECT_TRUE(is_in(false, top() + (2 << 20)));
  const uint64_t page = top() & ~uint64_t{4095};
  modules_ =
      ModuleMap({mapping(page - (8 << 20), page + 8192), mapping(page + 8192, page + 65536)});
  EXPECT_TRUE(is_in(false, page + 8192 + 64));
  EXPECT_FALSE(is_in(false, page + 8192 - 64));
  // Far away, and yet on the same stack.
  modules_ = ModuleMap({mapping(page - 4096, page + (8 << 20))});
  EXPECT_FALSE(is_in(false, top() + (7 << 20)));
}

TEST_F(CallPresenceTest, OpenEndedCall_NeedsReturnAddress) {
  EXPECT_TRUE(is_in(true, top() - 64));
  EXPECT_TRUE(is_in(true, top() - 8));
  EXPECT_FALSE(is_in(true, top()));
  EXPECT_FALSE(is_in(true, top() + 64));
  stack_[kTop - 1] = kReturnAddress + 5;
  EXPECT_FALSE(is_in(true, top() - 64));
  call_.context.stack_pointer = 8;  // never mapped
  EXPECT_FALSE(is_in(true, 0));
}

TEST_F(CallPresenceTest, Vfork_FoundAtReturnAddress) {
  stack_[kTop - 1] = 0;  // the child has been there
  EXPECT_TRUE(is_in(true, top(), SYS_vfork));
  EXPECT_TRUE(is_in(true, top() - 8, SYS_clone));
  EXPECT_TRUE(is_in(true, top(), SYS_clone3));
  EXPECT_FALSE(is_in(true, top() - 64, SYS_vfork));
  EXPECT_FALSE(is_in(true, top(), SYS_read));
  EXPECT_FALSE(is_in(true, top(), -1));
}

// A thread that blocks in one function, then, at the same depth, in another.
class TwoCalls {
 public:
  TwoCalls() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~TwoCalls() {
    go_on();
    go_on();
    thread_.join();
    close(ends_[0]);
    close(ends_[1]);
  }
  TwoCalls(const TwoCalls&) = delete;
  TwoCalls& operator=(const TwoCalls&) = delete;

  void go_on() { EXPECT_EQ(write(ends_[1], "", 1), 1); }

  // Where the thread is, once it blocks for the given time.
  ThreadPosition blocked(int time) const {
    while (blocks_ != time) usleep(1000);
    for (;;) {
      const auto call = read_kernel_call(getpid(), tid_);
      if (call && call->number == SYS_read) return {call->stack_pointer, call->number};
      usleep(1000);
    }
  }

  // The first function as an open-ended call.
  CallView first;

 private:
  void run() {
    tid_ = gettid();
    block_first();
    block_second();
  }
  [[gnu::noinline]] void block_first() {
    first.context.instruction_pointer = reinterpret_cast<uint64_t>(__builtin_return_address(0));
    first.context.stack_pointer = reinterpret_cast<uint64_t>(__builtin_dwarf_cfa());
    wait_for_byte();
  }
  [[gnu::noinline]] void block_second() {
    wait_for_byte();
    sink_ = 1;  // no tail call
  }
  [[gnu::noinline]] void wait_for_byte() {
    ++blocks_;
    char byte;
    sink_ = static_cast<int>(read(ends_[0], &byte, 1));
  }

  int ends_[2];
  std::atomic<int> tid_ = 0;
  std::atomic<int> blocks_ = 0;
  volatile int sink_ = 0;
  std::thread thread_;
};

TEST_F(CallPresenceTest, NextCallBegun_FirstReturned) {
  TwoCalls calls;
  const ThreadPosition inside = calls.blocked(1);
  EXPECT_TRUE(is_in_call(getpid(), calls.first, true, inside, modules_));
  calls.go_on();
  const ThreadPosition after = calls.blocked(2);
  EXPECT_FALSE(is_in_call(getpid(), calls.first, true, after, modules_));
}

TEST_F(CallPresenceTest, RandomWords_NoCrash) {
  for (const uint64_t word : {uint64_t{0}, uint64_t{7}, uint64_t{1} << 63, UINT64_MAX}) {
    call_.context.stack_pointer = word;
    for (const uint64_t other : {uint64_t{0}, uint64_t{8}, uint64_t{1} << 63, UINT64_MAX}) {
      EXPECT_FALSE(is_in(true, other) && word < 4096);
      is_in(false, other);
    }
  }
}

}  // namespace
}  // namespace tailback
