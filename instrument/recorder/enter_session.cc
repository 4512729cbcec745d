// How a process comes into a session: the recorder's constructor.
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "instrument/recorder/environment.h"
#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/pause.h"
#include "instrument/recorder/stack_capture.h"
#include "instrument/recorder/start_observer.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

namespace {

// A program that may have little memory in all needs that itself.
bool fits_limit_of_memory() {
  struct rlimit limit;
  if (raw_syscall(SYS_prlimit64, 0, RLIMIT_AS, 0, reinterpret_cast<long>(&limit)) != 0) return true;
  return limit.rlim_cur / 8 >= sizeof(contract::Segment);
}

}  // namespace

contract::Segment* map_segment(int fd) {
  if (!fits_limit_of_memory()) return nullptr;
  struct stat file;
  if (raw_syscall(SYS_fstat, fd, reinterpret_cast<long>(&file)) != 0) return nullptr;
  if (file.st_size != static_cast<off_t>(sizeof(contract::Segment))) return nullptr;
  const long address = raw_syscall(SYS_mmap, 0, sizeof(contract::Segment), PROT_READ | PROT_WRITE,
                                   MAP_SHARED, fd, 0);
  if (address < 0 && address > -4096) return nullptr;
  // No part of the program's core.
  raw_syscall(SYS_madvise, address, sizeof(contract::Segment), MADV_DONTDUMP);
  return reinterpret_cast<contract::Segment*>(address);
}

namespace {

// The segment of the session that our parent is in, or nullptr.
contract::Segment* open_segment(const char* path) {
  const long fd = raw_syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path),
                              O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return nullptr;
  contract::Segment* mapped = map_segment(static_cast<int>(fd));
  raw_syscall(SYS_close, fd);
  if (!mapped) return nullptr;
  if (mapped->header.magic.load(std::memory_order_acquire) != contract::kMagic ||
      mapped->header.version != contract::kVersion) {
    raw_syscall(SYS_munmap, reinterpret_cast<long>(mapped), sizeof(contract::Segment));
    return nullptr;
  }
  return mapped;
}

// The page that tells a forked child that it is one. Without it a child would write into its
// parent's records, so without it there is no recording.
ProcessPage* make_process_page() {
  void* page = map_pages(sizeof(ProcessPage));
  if (!page) return nullptr;
  constexpr long kWipeOnFork = 18;
  if (raw_syscall(SYS_madvise, reinterpret_cast<long>(page), 4096, kWipeOnFork) != 0) {
    raw_syscall(SYS_munmap, reinterpret_cast<long>(page), 4096);
    return nullptr;
  }
  return static_cast<ProcessPage*>(page);
}

bool yama_is_there() {
  static const char path[] = "/proc/sys/kernel/yama/ptrace_scope";
  return raw_syscall(SYS_access, reinterpret_cast<long>(path), 0) == 0;
}

__attribute__((constructor(101))) void enter_session() {
  resolve_next_definitions();
  if (inside_observer) return;
  ProcessPage* page = make_process_page();
  if (!page) return;
  yama_restricts_ptrace = yama_is_there();
  contract::Segment* joined = nullptr;
  bool started = false;
  if (const char* path = environment_value(contract::kSessionVariable)) {
    if (!in_other_pid_namespace()) joined = open_segment(path);
  } else if (getauxval(AT_SECURE) == 0) {
    joined = start_observer();
    started = true;
  }
  if (!joined) {
    raw_syscall(SYS_munmap, reinterpret_cast<long>(page), 4096);
    return;
  }
  segment = joined;
  process_page = page;
  find_tracked_locks();
  // Of a bare preload's session nobody has said yet what it keeps.
  if (started || tracks(contract::kTrackOrder | contract::kTrackContention))
    note_inherited_filter();
  install_pause_handler();
  attach_thread();
}

}  // namespace
}  // namespace tailback
