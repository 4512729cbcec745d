// What a call waits for, by the kind of its argument: this process plays the target.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "runtime/explain/call_description.h"
#include "runtime/explain/system_calls.h"

namespace tailback {
namespace {

namespace fs = std::filesystem;
using intercept::Family;

uint64_t word_of(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}
uint64_t word_of(int number) {
  return static_cast<uint64_t>(number);
}

constexpr uint64_t kBad = 8;  // never mapped

CallDescription describe(Family family, const char* roles, std::vector<uint64_t> arguments) {
  return describe_call(getpid(), "function", family, roles, arguments);
}

CallDescription describe_system_call(long number, std::array<uint64_t, 6> arguments) {
  CallInProgress call;
  call.system_call = number;
  call.arguments = arguments;
  return describe_call(getpid(), call);
}

std::string argument(const CallDescription& description, const std::string& name) {
  for (const Argument& each : description.call.arguments) {
    if (each.name == name) return each.value;
  }
  return "(none)";
}

std::string shown(const char* kind, uint64_t value) {
  const CallDescription description =
      describe(Family::kFile, ("a:" + std::string(kind)).c_str(), {value});
  return argument(description, "a");
}

class CallObjectsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "objects.XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = fs::canonical(pattern);
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ / name; }

  fs::path directory_;
};

TEST_F(CallObjectsTest, Constants_Named) {
  EXPECT_EQ(shown("fcntl", F_SETLKW), "F_SETLKW");
  EXPECT_EQ(shown("fcntl", F_OFD_SETLKW), "F_OFD_SETLKW");
  EXPECT_EQ(shown("fcntl", 4711), "4711");
  EXPECT_EQ(shown("flockop", LOCK_EX), "LOCK_EX");
  EXPECT_EQ(shown("flockop", LOCK_SH | LOCK_NB), "LOCK_SH|LOCK_NB");
  EXPECT_EQ(shown("lockfop", F_LOCK), "F_LOCK");
  EXPECT_EQ(shown("futexop", FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME),
            "FUTEX_WAIT_BITSET");
  EXPECT_EQ(shown("idtype", P_PIDFD), "P_PIDFD");
  EXPECT_EQ(shown("mode", 0644), "0644");
  EXPECT_EQ(shown("dirfd", word_of(AT_FDCWD)), "AT_FDCWD");
  EXPECT_EQ(shown("dirfd", 7), "7");
  EXPECT_EQ(shown("no such kind", 0x1234), "0x1234");
}

TEST_F(CallObjectsTest, Stream_NamesDescriptor) {
  FILE* file = fopen(path("data").c_str(), "w");
  ASSERT_NE(file, nullptr);
  CallDescription description = describe(Family::kFile, "stream:*stream", {word_of(file)});
  EXPECT_EQ(description.call.object, path("data"));
  EXPECT_EQ(description.cause, Cause::kFile);
  EXPECT_EQ(argument(description, "stream"), "fd " + std::to_string(fileno(file)));
  fclose(file);

  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  FILE* reader = fdopen(ends[0], "r");
  description = describe(Family::kFile, "stream:*stream", {word_of(reader)});
  EXPECT_EQ(description.call.object, "pipe");
  EXPECT_EQ(description.cause, Cause::kIpc);
  fclose(reader);
  close(ends[1]);
}

TEST_F(CallObjectsTest, StreamWithoutDescriptor_NoObject) {
  char memory[16] = "text";
  FILE* file = fmemopen(memory, sizeof memory, "r");
  const CallDescription description = describe(Family::kFile, "stream:*stream", {word_of(file)});
  EXPECT_EQ(description.call.object, "");
  EXPECT_EQ(description.cause, Cause::kFile);
  fclose(file);
  EXPECT_EQ(describe(Family::kFile, "stream:*stream", {kBad}).call.object, "");
  EXPECT_EQ(shown("stream", kBad), "0x8");
}

TEST_F(CallObjectsTest, DirectoryStream_NamesDirectory) {
  DIR* stream = opendir(directory_.c_str());
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(describe(Family::kFile, "dir:*dir", {word_of(stream)}).call.object, directory_);
  closedir(stream);
}

TEST_F(CallObjectsTest, RelativePath_StartsAtDescriptor) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const int directory = open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  ASSERT_GE(directory, 0);
  const auto open_at = [&](int dirfd, const char* name) {
    return describe(Family::kFile, "dirfd:dirfd path:*path",
                    {static_cast<uint64_t>(dirfd), word_of(name)});
  };
  EXPECT_EQ(open_at(directory, "fifo").call.object, path("fifo"));
  EXPECT_EQ(open_at(directory, "fifo").cause, Cause::kIpc);
  EXPECT_EQ(argument(open_at(directory, "fifo"), "path"), "fifo");
  EXPECT_EQ(open_at(directory, "absent").call.object, path("absent"));
  EXPECT_EQ(open_at(directory, "absent").cause, Cause::kFile);
  EXPECT_EQ(open_at(directory, "").call.object, directory_);
  EXPECT_EQ(open_at(directory, "/etc/hosts").call.object, "/etc/hosts");
  EXPECT_EQ(open_at(AT_FDCWD, "x").call.object, fs::current_path() / "x");
  close(directory);
  EXPECT_EQ(open_at(directory, "fifo").call.object, "fifo");
  // A path that needs no descriptor is relative to the working directory.
  EXPECT_EQ(describe(Family::kFile, "path:*path", {word_of("x")}).call.object,
            fs::current_path() / "x");
}

TEST_F(CallObjectsTest, ExecutedFifo_StillProgram) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const std::string fifo = path("fifo");
  EXPECT_EQ(describe(Family::kProcess, "path:*path", {word_of(fifo.c_str())}).cause,
            Cause::kProcess);
}

TEST_F(CallObjectsTest, SystemVIds_Number) {
  const CallDescription queue = describe(Family::kIpc, "queue:*msgq", {7});
  EXPECT_EQ(queue.call.object, "message queue 7");
  EXPECT_EQ(queue.cause, Cause::kIpc);
  EXPECT_EQ(describe(Family::kIpc, "set:*semid", {9}).call.object, "semaphore set 9");
}

TEST_F(CallObjectsTest, MessageQueue_Name) {
  const std::string name = "/tailback-test-" + std::to_string(getpid());
  const mqd_t queue = mq_open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600, nullptr);
  if (queue < 0) GTEST_SKIP() << "no POSIX message queues here";
  mq_unlink(name.c_str());
  const CallDescription description =
      describe(Family::kIpc, "queue:*mqd", {static_cast<uint64_t>(queue)});
  mq_close(queue);
  EXPECT_TRUE(description.call.object.starts_with(name)) << description.call.object;
  EXPECT_EQ(description.cause, Cause::kIpc);
}

TEST_F(CallObjectsTest, Locks_Owner) {
  pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
  const auto rwlock_owner = [&] {
    return describe(Family::kLock, "lock:*rwlock", {word_of(&rwlock)}).owner_tid;
  };
  EXPECT_EQ(rwlock_owner(), 0);
  pthread_rwlock_wrlock(&rwlock);
  EXPECT_EQ(rwlock_owner(), gettid());
  pthread_rwlock_unlock(&rwlock);
  pthread_rwlock_rdlock(&rwlock);
  EXPECT_EQ(rwlock_owner(), 0);
  pthread_rwlock_unlock(&rwlock);

  mtx_t mutex;
  ASSERT_EQ(mtx_init(&mutex, mtx_plain), thrd_success);
  mtx_lock(&mutex);
  const CallDescription held = describe(Family::kLock, "mutex:*mtx", {word_of(&mutex)});
  mtx_unlock(&mutex);
  mtx_destroy(&mutex);
  EXPECT_EQ(held.lock.value, word_of(&mutex));
  EXPECT_EQ(held.owner_tid, gettid());
  for (const char* roles : {"a:*spin", "a:*barrier", "a:*once", "a:*cnd", "a:*cond", "a:*sem"}) {
    EXPECT_EQ(describe(Family::kLock, roles, {0x7000}).lock.value, 0x7000u) << roles;
  }
}

TEST_F(CallObjectsTest, StreamLock_Owner) {
  flockfile(stdout);
  const CallDescription held = describe(Family::kLock, "stream:*stream", {word_of(stdout)});
  funlockfile(stdout);
  EXPECT_EQ(held.cause, Cause::kLock);
  EXPECT_EQ(held.lock.value, word_of(stdout));
  EXPECT_EQ(held.owner_tid, gettid());
  EXPECT_EQ(describe(Family::kLock, "stream:*stream", {word_of(stdout)}).owner_tid, 0);
  EXPECT_EQ(describe(Family::kLock, "stream:*stream", {kBad}).owner_tid, 0);
}

TEST_F(CallObjectsTest, JoinedThread_Name) {
  std::atomic<int> tid = 0;
  std::atomic<bool> done = false;
  std::thread thread([&] {
    pthread_setname_np(pthread_self(), "a worker");
    tid = gettid();
    while (!done) usleep(1000);
  });
  while (tid == 0) usleep(1000);
  const CallDescription description =
      describe(Family::kWait, "thread:*thread", {static_cast<uint64_t>(thread.native_handle())});
  done = true;
  thread.join();
  EXPECT_EQ(description.call.object, "thread a worker (" + std::to_string(tid) + ")");
  EXPECT_EQ(describe(Family::kWait, "thread:*thread", {kBad}).call.object, "");
}

TEST_F(CallObjectsTest, ChildPipe_NamesChild) {
  FILE* stream = popen("exec sleep 300", "r");
  ASSERT_NE(stream, nullptr);
  const CallDescription description =
      describe(Family::kProcess, "stream:*stream", {word_of(stream)});
  EXPECT_EQ(description.cause, Cause::kProcess);
  const std::string& object = description.call.object;
  ASSERT_TRUE(object.starts_with("child ")) << object;
  const pid_t child = std::stoi(object.substr(6));
  ASSERT_GT(child, 1);
  kill(child, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(pclose(stream)));
}

TEST_F(CallObjectsTest, ProcessIds_NameProcess) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  const std::string text = "child " + std::to_string(child);
  const auto wait_for = [&](int type, int id) {
    return describe(Family::kProcess, "type:idtype id:*pid", {word_of(type), word_of(id)})
        .call.object;
  };
  EXPECT_TRUE(wait_for(P_PID, child).starts_with(text));
  EXPECT_TRUE(wait_for(P_ALL, 0).starts_with(text));
  EXPECT_EQ(wait_for(P_PGID, 77), "process group 77");
  EXPECT_EQ(describe(Family::kProcess, "pid:*pid", {word_of(-77)}).call.object, "process group 77");
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  ASSERT_GE(pidfd, 0);
  EXPECT_TRUE(wait_for(P_PIDFD, pidfd).starts_with(text));
  const CallDescription readable = describe(Family::kFile, "fd:*fd", {word_of(pidfd)});
  EXPECT_TRUE(readable.call.object.starts_with(text)) << readable.call.object;
  EXPECT_EQ(readable.cause, Cause::kProcess);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(describe(Family::kFile, "fd:*fd", {word_of(pidfd)}).call.object, "pidfd");
  close(pidfd);
}

TEST(SystemCalls, Futex_NamedByOperation) {
  uint32_t word = static_cast<uint32_t>(gettid()) | FUTEX_WAITERS;
  const CallDescription lock = describe_system_call(SYS_futex, {word_of(&word), FUTEX_LOCK_PI});
  EXPECT_EQ(lock.cause, Cause::kLock);
  EXPECT_EQ(lock.owner_tid, gettid());
  EXPECT_EQ(lock.lock.value, word_of(&word));
  EXPECT_EQ(argument(lock, "operation"), "FUTEX_LOCK_PI");

  const timespec time{2, 500000000};
  const CallDescription wait =
      describe_system_call(SYS_futex, {word_of(&word), FUTEX_WAIT_PRIVATE, 1, word_of(&time)});
  EXPECT_EQ(wait.cause, Cause::kWait);
  EXPECT_EQ(wait.owner_tid, 0);
  EXPECT_EQ(argument(wait, "operation"), "FUTEX_WAIT");
  EXPECT_EQ(argument(wait, "timeout"), "2.5 s");
  const CallDescription bitset = describe_system_call(
      SYS_futex, {word_of(&word), FUTEX_WAIT_BITSET_PRIVATE, 1, word_of(&time)});
  EXPECT_TRUE(argument(bitset, "timeout").ends_with(" s ago")) << argument(bitset, "timeout");

  const uint64_t waiter[3] = {0, word_of(&word), 0};
  const CallDescription many = describe_system_call(SYS_futex_waitv, {word_of(waiter), 1});
  EXPECT_EQ(many.lock.value, word_of(&word));
  EXPECT_EQ(many.cause, Cause::kWait);
}

TEST(SystemCalls, Table_UniqueSoundRoles) {
  std::set<long> seen;
  for (const long number : known_system_calls()) {
    EXPECT_TRUE(seen.insert(number).second) << number;
    const SystemCallFacts facts = system_call_facts(number);
    EXPECT_FALSE(facts.name.empty());
    const std::string_view roles = facts.roles;
    EXPECT_LE(std::count(roles.begin(), roles.end(), ':'), 6) << facts.name;
    EXPECT_LE(std::count(roles.begin(), roles.end(), '*'), 1) << facts.name;
  }
  EXPECT_GT(seen.size(), 200u);
}

TEST(SystemCalls, Family_DecidesCause) {
  EXPECT_EQ(describe_system_call(SYS_msgrcv, {3}).cause, Cause::kIpc);
  EXPECT_EQ(describe_system_call(SYS_rt_sigtimedwait, {}).cause, Cause::kWait);
  EXPECT_EQ(describe_system_call(SYS_accept, {UINT64_MAX}).cause, Cause::kSocket);
  EXPECT_EQ(describe_system_call(SYS_sync, {}).cause, Cause::kFile);
  EXPECT_EQ(describe_system_call(SYS_membarrier, {}).cause, Cause::kUnknown);
  EXPECT_EQ(describe_system_call(SYS_getpid, {}).call.function,
            "system call " + std::to_string(SYS_getpid));
}

}  // namespace
}  // namespace tailback
