// Who has a threading.RLock, over an image of a process's memory with such an object added to it.
#include "runtime/interpreters/python/lock.h"

#include <gtest/gtest.h>

#include <array>
#include <span>

#include "tests/unit/memory_image.h"

namespace tailback {
namespace {

constexpr uint64_t kObject = 0x500000001000;
constexpr uint64_t kType = 0x500000002000;
constexpr uint64_t kName = 0x500000003000;
constexpr uint64_t kIdent = 0x500000004000;
constexpr uint64_t kSemaphore = 0x500000005000;
constexpr uint64_t kStack = 0x500000100000;

class PythonLock : public testing::Test {
 protected:
  PythonLock() {
    image_.python.layout =
        python_layout(image_.python.version, image_.memory, image_.python.runtime).value();
    waiter_.registers.context.stack_pointer = kStack;
    waiter_.stack_begin = RemoteAddress(kStack);
    set_stack({0, 1, kObject + 3, kSemaphore, kObject});
  }

  void set_stack(const std::vector<uint64_t>& words) {
    const auto bytes = std::as_bytes(std::span(words));
    waiter_.stack.assign(bytes.begin(), bytes.end());
  }

  template <typename T>
  void add(uint64_t address, const T& value) {
    image_.memory.add(RemoteAddress(address), std::as_bytes(std::span(&value, 1)));
  }

  void add_lock(const char (&type)[14], uint64_t count = 1) {
    add(kObject, std::array<uint64_t, 5>{1, kType, kSemaphore, kIdent, count});
    add(kType + 24, kName);
    add(kName, type);
    add(kIdent + 0x2d0, image_.threads.at(1).tid);
  }

  std::optional<int> owner(uint64_t semaphore = kSemaphore) {
    return python_lock_owner(image_.memory, image_.python, RemoteAddress(semaphore), waiter_);
  }

  PythonImage image_ =
      read_python_image(std::string(TAILBACK_SOURCE_DIR) + "/tests/unit/images/python-3.11.image");
  Snapshot waiter_;
};

TEST_F(PythonLock, LockObject_Owner) {
  add_lock("_thread.RLock");
  EXPECT_EQ(owner(), image_.threads.at(1).tid);
  EXPECT_FALSE(owner(kSemaphore + 32)) << "the semaphore of another";
}

TEST_F(PythonLock, Since314_WaiterOwnsSemaphore) {
  image_.python.layout.byte_locks = true;  // the threads are read as 3.11 has them
  add_lock("_thread.RLock", 0);
  EXPECT_FALSE(owner(kStack + 8));
  add(kStack, kObject + 16);  // the lock, and then the semaphore
  EXPECT_EQ(owner(kStack + 8), image_.threads.at(1).tid);
  EXPECT_FALSE(owner());
}

TEST_F(PythonLock, LockInRegister_Found) {
  add_lock("_thread.RLock");
  set_stack({0, 0});
  EXPECT_FALSE(owner());
  waiter_.registers.context.saved[contract::kR13] = kObject;
  EXPECT_TRUE(owner());
}

TEST_F(PythonLock, FreeLock_NoOwner) {
  add_lock("_thread.RLock", 0);
  EXPECT_FALSE(owner());
}

TEST_F(PythonLock, NotALock_NotBelieved) {
  add_lock("_thread.RLocc");
  EXPECT_FALSE(owner());
}

TEST_F(PythonLock, Unreadable_NotBelieved) {
  EXPECT_FALSE(owner());
}

TEST_F(PythonLock, OwnerNoPythonThread_NotBelieved) {
  add(kIdent + 0x2d0, 1);
  add_lock("_thread.RLock");
  EXPECT_FALSE(owner());
}

}  // namespace
}  // namespace tailback
