#include "runtime/lock_state/lock_reading.h"

#include <fmt/format.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>

#include <bit>

#include "runtime/capture/memory.h"

namespace tailback {

namespace {

// glibc's bits of a mutex's __kind (nptl/pthreadP.h).
constexpr int kTypeBits = 3;
constexpr int kRobust = 16;
constexpr int kInherit = 32;
constexpr int kProtect = 64;
constexpr int kShared = 128;

void add_word(std::string& text, std::string_view word) {
  if (!text.empty()) text += ", ";
  text += word;
}

std::string mutex_type(int kind) {
  constexpr std::string_view kTypes[] = {"", "recursive", "error-checking", "adaptive"};
  std::string text(kTypes[kind & kTypeBits]);
  if (kind & kRobust) add_word(text, "robust");
  if (kind & kInherit) add_word(text, "priority-inheriting");
  if (kind & kProtect) add_word(text, "priority-protecting");
  // glibc makes all robust ones fit for it.
  if ((kind & kShared) && !(kind & kRobust)) add_word(text, "process-shared");
  return text;
}

// The kernel clears the owner of a robust or priority-inheriting mutex in its word, not beside it.
int owner_of(const pthread_mutex_t& mutex) {
  const auto word = static_cast<uint32_t>(mutex.__data.__lock);
  if (word == 0) return 0;
  const bool in_word = (mutex.__data.__kind & (kRobust | kInherit)) != 0;
  return in_word ? static_cast<int>(word & FUTEX_TID_MASK) : mutex.__data.__owner;
}

bool read_mutex(int pid, LockReading& lock) {
  const auto mutex = read<pthread_mutex_t>(pid, lock.address);
  if (!mutex) return false;
  lock.type = mutex_type(mutex->__data.__kind);
  lock.between_processes = (mutex->__data.__kind & kShared) != 0;
  lock.owner = owner_of(*mutex);
  return true;
}

bool read_rwlock(int pid, std::string_view function, LockReading& lock) {
  const auto rwlock = read<pthread_rwlock_t>(pid, lock.address);
  if (!rwlock) return false;
  const auto& data = rwlock->__data;
  lock.type = function.find("wrlock") != std::string_view::npos ? "write" : "read";
  lock.between_processes = data.__shared != 0;
  if (lock.between_processes) add_word(lock.type, "process-shared");
  lock.owner = data.__cur_writer;
  // The readers are counted above three bits of flags, the lowest of which says that a writer has
  // it: then they wait.
  constexpr unsigned kFlagBits = 3;
  const unsigned readers = data.__readers >> kFlagBits;
  if (lock.owner == 0 && (data.__readers & 1) == 0 && readers > 0) {
    lock.holders = readers == 1 ? "held by a reader" : fmt::format("held by {} readers", readers);
  }
  return true;
}

// glibc's struct new_sem on 64-bit machines.
struct Semaphore {
  uint32_t value;
  uint32_t waiters;
  int32_t shared;
};

bool read_semaphore(int pid, LockReading& lock) {
  const auto semaphore = read<Semaphore>(pid, lock.address);
  if (!semaphore) return false;
  lock.between_processes = semaphore->shared != 0;
  if (lock.between_processes) lock.type = "process-shared";
  return true;
}

// The lock in a FILE keeps its owner's pthread_t.
bool read_stream(int pid, LockReading& lock) {
  struct StreamLock {
    int lock;
    int count;
    uint64_t owner;
  };
  const auto stream = read<FILE>(pid, lock.address);
  if (!stream) return false;
  const auto held = read<StreamLock>(pid, RemoteAddress(std::bit_cast<uint64_t>(stream->_lock)));
  if (held) lock.owner = thread_of(pid, RemoteAddress(held->owner)).value_or(0);
  return true;
}

bool read_barrier(int pid, LockReading& lock) {
  // glibc's struct pthread_barrier.
  struct Barrier {
    uint32_t in;
    uint32_t current_round;
    uint32_t count;
    int32_t shared;
  };
  const auto barrier = read<Barrier>(pid, lock.address);
  if (!barrier) return false;
  lock.between_processes = barrier->shared != 0;
  lock.holders = fmt::format("waits for {} threads", barrier->count);
  return true;
}

bool read_condition(int pid, LockReading& lock) {
  const auto condition = read<pthread_cond_t>(pid, lock.address);
  if (!condition) return false;
  lock.between_processes = (condition->__data.__wrefs & 1) != 0;
  return true;
}

}  // namespace

bool may_be_thread(int tid) {
  constexpr int kMost = 1 << 22;  // of PID_MAX_LIMIT
  return tid > 0 && tid <= kMost;
}

std::optional<int> thread_of(int pid, RemoteAddress descriptor) {
  constexpr uint64_t kThreadId = 0x2d0;  // on x86-64 since glibc 2.4
  const auto tid = read<int>(pid, descriptor + kThreadId);
  return tid && may_be_thread(*tid) ? tid : std::nullopt;
}

std::optional<LockReading> read_lock(int pid, std::string_view kind, RemoteAddress address,
                                     std::string_view function) {
  LockReading lock;
  lock.address = address;
  bool is_read = false;
  if (kind == "mutex" || kind == "mtx") {
    is_read = read_mutex(pid, lock);
  } else if (kind == "rwlock") {
    lock.kind = LockKind::kRwlock;
    is_read = read_rwlock(pid, function, lock);
  } else if (kind == "spin") {
    lock.kind = LockKind::kSpin;
    is_read = read<int>(pid, address).has_value();
  } else if (kind == "sem") {
    lock.kind = LockKind::kSemaphore;
    is_read = read_semaphore(pid, lock);
  } else if (kind == "stream") {
    lock.kind = LockKind::kStream;
    is_read = read_stream(pid, lock);
  } else if (kind == "barrier") {
    lock.kind = LockKind::kBarrier;
    is_read = read_barrier(pid, lock);
  } else if (kind == "cond" || kind == "cnd") {
    lock.kind = LockKind::kCondition;
    is_read = read_condition(pid, lock);
  }
  if (!is_read) return std::nullopt;
  if (!may_be_thread(lock.owner)) {
    if (lock.owner != 0) lock.holders = "its owner is no thread: it was overwritten";
    lock.owner = 0;
  }
  return lock;
}

}  // namespace tailback
