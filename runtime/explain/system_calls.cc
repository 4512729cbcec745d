#include "runtime/explain/system_calls.h"

#include <fmt/format.h>
#include <sys/syscall.h>

namespace tailback {

namespace {

using intercept::Family;

struct Entry {
  long number;
  const char* name;
  Family family;
  const char* roles;
};

constexpr const char* kFdBuffer = "fd:*fd buffer:- count:size";
constexpr const char* kFdVector = "fd:*fd vector:- count:int";
constexpr const char* kPath = "path:*path";
constexpr const char* kDirfdPath = "dirfd:int path:*path";

#define SYSTEM_CALL(name, family, roles) \
  { SYS_##name, #name, family, roles }
constexpr Entry kEntries[] = {
    SYSTEM_CALL(nanosleep, Family::kSleep, "duration:time remaining:-"),
    SYSTEM_CALL(clock_nanosleep, Family::kSleep, "clock:int flags:flags time:sleep remaining:-"),
    SYSTEM_CALL(pause, Family::kWait, ""),
    SYSTEM_CALL(read, Family::kFile, kFdBuffer),
    SYSTEM_CALL(write, Family::kFile, kFdBuffer),
    SYSTEM_CALL(pread64, Family::kFile, kFdBuffer),
    SYSTEM_CALL(pwrite64, Family::kFile, kFdBuffer),
    SYSTEM_CALL(readv, Family::kFile, kFdVector),
    SYSTEM_CALL(writev, Family::kFile, kFdVector),
    SYSTEM_CALL(preadv, Family::kFile, kFdVector),
    SYSTEM_CALL(pwritev, Family::kFile, kFdVector),
    SYSTEM_CALL(open, Family::kFile, kPath),
    SYSTEM_CALL(openat, Family::kFile, kDirfdPath),
    SYSTEM_CALL(stat, Family::kFile, kPath),
    SYSTEM_CALL(lstat, Family::kFile, kPath),
    SYSTEM_CALL(statx, Family::kFile, kDirfdPath),
    SYSTEM_CALL(newfstatat, Family::kFile, kDirfdPath),
    SYSTEM_CALL(access, Family::kFile, kPath),
    SYSTEM_CALL(unlink, Family::kFile, kPath),
    SYSTEM_CALL(unlinkat, Family::kFile, kDirfdPath),
    SYSTEM_CALL(rename, Family::kFile, kPath),
    SYSTEM_CALL(mkdir, Family::kFile, kPath),
    SYSTEM_CALL(getdents64, Family::kFile, "fd:*fd"),
    SYSTEM_CALL(close, Family::kFile, "fd:*fd"),
    SYSTEM_CALL(fsync, Family::kFile, "fd:*fd"),
    SYSTEM_CALL(fdatasync, Family::kFile, "fd:*fd"),
    SYSTEM_CALL(sync, Family::kFile, ""),
    SYSTEM_CALL(syncfs, Family::kFile, "fd:*fd"),
    SYSTEM_CALL(ftruncate, Family::kFile, "fd:*fd length:size"),
    SYSTEM_CALL(fallocate, Family::kFile, "fd:*fd"),
    SYSTEM_CALL(flock, Family::kFile, "fd:*fd operation:int"),
    SYSTEM_CALL(fcntl, Family::kFile, "fd:*fd command:int"),
    SYSTEM_CALL(ioctl, Family::kFile, "fd:*fd request:flags"),
    SYSTEM_CALL(sendfile, Family::kFile, "out_fd:*fd in_fd:fd"),
    SYSTEM_CALL(copy_file_range, Family::kFile, "in_fd:*fd offset:- out_fd:fd"),
    SYSTEM_CALL(splice, Family::kFile, "in_fd:*fd offset:- out_fd:fd"),
    SYSTEM_CALL(connect, Family::kSocket, "fd:fd address:*sockaddr length:-"),
    SYSTEM_CALL(accept, Family::kSocket, "fd:*fd"),
    SYSTEM_CALL(accept4, Family::kSocket, "fd:*fd"),
    SYSTEM_CALL(recvfrom, Family::kSocket, kFdBuffer),
    SYSTEM_CALL(recvmsg, Family::kSocket, "fd:*fd"),
    SYSTEM_CALL(recvmmsg, Family::kSocket, "fd:*fd"),
    SYSTEM_CALL(sendto, Family::kSocket, kFdBuffer),
    SYSTEM_CALL(sendmsg, Family::kSocket, "fd:*fd"),
    SYSTEM_CALL(sendmmsg, Family::kSocket, "fd:*fd"),
    SYSTEM_CALL(wait4, Family::kProcess, "pid:*pid"),
    SYSTEM_CALL(waitid, Family::kProcess, "type:int id:*pid"),
    SYSTEM_CALL(fork, Family::kProcess, ""),
    SYSTEM_CALL(vfork, Family::kProcess, ""),
    SYSTEM_CALL(clone, Family::kProcess, ""),
    SYSTEM_CALL(clone3, Family::kProcess, ""),
    SYSTEM_CALL(execve, Family::kProcess, kPath),
    SYSTEM_CALL(futex, Family::kWait, "word:*address operation:flags value:int"),
    SYSTEM_CALL(rt_sigtimedwait, Family::kWait, ""),
    SYSTEM_CALL(rt_sigsuspend, Family::kWait, ""),
    SYSTEM_CALL(msgrcv, Family::kWait, "queue:int"),
    SYSTEM_CALL(msgsnd, Family::kWait, "queue:int"),
    SYSTEM_CALL(semop, Family::kLock, "set:int"),
    SYSTEM_CALL(semtimedop, Family::kLock, "set:int"),
    SYSTEM_CALL(epoll_wait, Family::kEvents, "epfd:*fd events:- maxevents:int timeout:ms"),
    SYSTEM_CALL(epoll_pwait, Family::kEvents, "epfd:*fd events:- maxevents:int timeout:ms"),
    SYSTEM_CALL(epoll_pwait2, Family::kEvents, "epfd:*fd events:- maxevents:int timeout:time"),
    SYSTEM_CALL(poll, Family::kEvents, "fds:*pollfds nfds:size timeout:ms"),
    SYSTEM_CALL(ppoll, Family::kEvents, "fds:*pollfds nfds:size timeout:time"),
    SYSTEM_CALL(select, Family::kEvents, "nfds:int readfds:*fds"),
    SYSTEM_CALL(pselect6, Family::kEvents, "nfds:int readfds:*fds"),
    SYSTEM_CALL(io_uring_enter, Family::kEvents, "fd:*fd to_submit:int min_complete:int"),
};
#undef SYSTEM_CALL

}  // namespace

SystemCallFacts system_call_facts(long number) {
  for (const Entry& entry : kEntries) {
    if (entry.number == number) return {entry.name, entry.family, entry.roles};
  }
  return {fmt::format("system call {}", number), Family::kNone, ""};
}

}  // namespace tailback
