// What a lock in the target's memory says of itself: glibc keeps the thread id of a mutex's owner
// in the mutex, and that of a writer in the read-write lock. C11's are the same. Safe from any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/capture/remote_address.h"
#include "runtime/values/lock.h"

namespace tailback {

struct LockReading {
  LockKind kind = LockKind::kMutex;
  RemoteAddress address;
  std::string type;                // as in Lock
  bool between_processes = false;  // made for use by several processes
  int owner = 0;                   // thread id; 0: nobody, or not known
  int owner_process = 0;           // of a file's lock: the process that took it; -1: more than one
  std::string holders;             // as in Lock
};

// The lock at an address, by the kind that the intercept table's roles have ("mutex", "mtx",
// "rwlock", "spin", "sem", "stream", "futex", "cond", "cnd", "barrier"). `function` is the call
// that waits for it. Nothing if it is of another kind, or its memory can't be read.
std::optional<LockReading> read_lock(int pid, std::string_view kind, RemoteAddress address,
                                     std::string_view function);

// The thread that a pthread_t of a process stands for. Nothing if it has ended, or there is none.
std::optional<int> thread_of(int pid, RemoteAddress descriptor);

// Whether a number can be a thread id at all.
bool may_be_thread(int tid);

}  // namespace tailback
