// What locks say of themselves, and what the kernel's list of locks on files says.
#include "runtime/lock_state/lock_reading.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <thread>

#include "runtime/lock_state/file_locks.h"

namespace tailback {
namespace {

RemoteAddress at(const void* place) {
  return RemoteAddress(std::bit_cast<uint64_t>(place));
}

std::optional<LockReading> reading(const char* kind, const void* lock, const char* function = "") {
  return read_lock(getpid(), kind, at(lock), function);
}

pthread_mutex_t mutex_of(int type, int protocol, int robust, int shared) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutexattr_setrobust(&attributes, robust);
  pthread_mutexattr_setpshared(&attributes, shared);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  return mutex;
}

struct Made {
  int type;
  int protocol;
  int robust;
  int shared;
  const char* text;
};

TEST(LockReading, MutexTypes_OwnerAndType) {
  const Made all[] = {
      {PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0, ""},
      {PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0, "error-checking"},
      {PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0, "adaptive"},
      {PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0, "recursive, robust"},
      {PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0, "priority-inheriting"},
      {PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 1, "process-shared"}};
  for (const Made& made : all) {
    pthread_mutex_t mutex = mutex_of(made.type, made.protocol, made.robust, made.shared);
    EXPECT_EQ(reading("mutex", &mutex)->owner, 0) << made.text;
    pthread_mutex_lock(&mutex);
    const auto held = reading("mutex", &mutex);
    pthread_mutex_unlock(&mutex);
    EXPECT_EQ(held->owner, gettid()) << made.text;
    EXPECT_EQ(held->type, made.text);
    const bool is_robust = made.robust == PTHREAD_MUTEX_ROBUST;
    EXPECT_EQ(held->between_processes, made.shared == 1 || is_robust) << made.text;
    EXPECT_EQ(reading("mutex", &mutex)->owner, 0) << made.text;
    pthread_mutex_destroy(&mutex);
  }
}

TEST(LockReading, RobustMutexOwnerExited_NoOwner) {
  pthread_mutex_t mutex =
      mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0);
  std::thread([&] { pthread_mutex_lock(&mutex); }).join();
  EXPECT_EQ(reading("mutex", &mutex)->owner, 0);
  EXPECT_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
  EXPECT_EQ(reading("mutex", &mutex)->owner, gettid());
  pthread_mutex_consistent(&mutex);
  pthread_mutex_unlock(&mutex);
}

TEST(LockReading, ReadWriteLock_WriterAndReaderCount) {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  EXPECT_EQ(reading("rwlock", &lock, "pthread_rwlock_rdlock")->type, "read");
  pthread_rwlock_wrlock(&lock);
  EXPECT_EQ(reading("rwlock", &lock, "pthread_rwlock_wrlock")->owner, gettid());
  EXPECT_EQ(reading("rwlock", &lock, "pthread_rwlock_wrlock")->type, "write");
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_rdlock(&lock);
  pthread_rwlock_rdlock(&lock);
  const auto read = reading("rwlock", &lock, "pthread_rwlock_wrlock");
  EXPECT_EQ(read->owner, 0);
  EXPECT_EQ(read->holders, "held by 2 readers");
}

TEST(LockReading, OwnerlessLock_SharingKnown) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  EXPECT_FALSE(reading("sem", &semaphore)->between_processes);
  sem_init(&semaphore, 1, 0);
  EXPECT_TRUE(reading("sem", &semaphore)->between_processes);
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  EXPECT_EQ(reading("barrier", &barrier)->holders, "waits for 3 threads");
  EXPECT_FALSE(reading("barrier", &barrier)->between_processes);
}

TEST(LockReading, OverwrittenOrUnmapped_Nothing) {
  pthread_mutex_t mutex;
  memset(&mutex, 0x5a, sizeof mutex);
  const auto overwritten = reading("mutex", &mutex);
  ASSERT_TRUE(overwritten);
  EXPECT_EQ(overwritten->owner, 0);
  EXPECT_NE(overwritten->holders, "");
  for (const char* kind : {"mutex", "rwlock", "spin", "sem", "stream", "barrier", "cond", "none"}) {
    EXPECT_FALSE(read_lock(getpid(), kind, RemoteAddress(8), "")) << kind;
  }
}

constexpr char kList[] =
    "1: POSIX  ADVISORY  WRITE 100 08:01:77 0 EOF\n"
    "1: -> POSIX  ADVISORY  WRITE 200 08:01:77 0 EOF\n"
    "2: FLOCK  ADVISORY  WRITE 300 08:01:77 0 EOF\n"
    "3: FLOCK  ADVISORY  READ  400 08:01:88 0 EOF\n"
    "4: FLOCK  ADVISORY  READ  500 08:01:88 0 EOF\n"
    "4: -> FLOCK  ADVISORY  WRITE 600 08:01:88 0 EOF\n"
    "5: OFDLCK ADVISORY  WRITE -1 08:01:99 0 EOF\n"
    "nonsense\n"
    "6: LEASE\n";

TEST(FileLocks, SameKindAndFile_Holders) {
  const auto locks = parse_file_locks(kList);
  ASSERT_EQ(locks.size(), 7u);
  EXPECT_EQ(file_lock_holders(locks, 200, 77), (std::vector<int>{100}));
  EXPECT_EQ(file_lock_holders(locks, 600, 88), (std::vector<int>{400, 500}));
  EXPECT_FALSE(file_lock_holders(locks, 200, 88));
  EXPECT_FALSE(file_lock_holders(locks, 300, 77));
  EXPECT_FALSE(file_lock_holders({}, 1, 1));
}

}  // namespace
}  // namespace tailback
