// How a process joins a session: the recorder's constructor.
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "instrument/contract/compatibility.h"
#include "instrument/recorder/complaint.h"
#include "instrument/recorder/environment.h"
#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/pause.h"
#include "instrument/recorder/stack_capture.h"
#include "instrument/recorder/start_observer.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

namespace {

// A program with a low limit of memory needs it for itself.
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
  // Not a part of the program's core dump.
  raw_syscall(SYS_madvise, address, sizeof(contract::Segment), MADV_DONTDUMP);
  return reinterpret_cast<contract::Segment*>(address);
}

namespace {

// The first version whose segments count refusals.
constexpr uint32_t kFirstThatCounts = 10;

// Counts the refusal in the segment, and complains if it is the session's first: one broken
// installation makes one line, however many processes the session has.
TAILBACK_COLD void refuse(int fd, uint32_t version, contract::Compatibility compatibility) {
  if (compatibility == contract::Compatibility::kNoSegment || version < kFirstThatCounts) return;
  constexpr long kPage = 4096;
  const long page = raw_syscall(SYS_mmap, 0, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page < 0 && page > -4096) return;
  auto& identity = *reinterpret_cast<contract::SegmentIdentity*>(page);
  const bool is_first = identity.refusals.fetch_add(1, std::memory_order_relaxed) == 0;
  raw_syscall(SYS_munmap, page, kPage);
  if (!is_first) return;
  complain("libtailback.so refuses the session, as bin/tailback is of another build: ",
           compatibility == contract::Compatibility::kOtherTable
               ? "their tables of intercepted functions differ. Install both from one build"
               : "their versions of the record contract differ. Install both from one build");
}

// The segment of the session that the parent process is in, or nullptr.
contract::Segment* open_segment(const char* path) {
  const long fd = raw_syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path),
                              O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return nullptr;
  contract::Segment* mapped = nullptr;
  contract::SegmentIdentity identity{};
  struct stat file;
  if (raw_syscall(SYS_fstat, fd, reinterpret_cast<long>(&file)) == 0 &&
      raw_syscall(SYS_pread64, fd, reinterpret_cast<long>(&identity), sizeof identity, 0) ==
          sizeof identity) {
    const auto compatibility =
        contract::compatibility_of(identity, static_cast<uint64_t>(file.st_size));
    if (compatibility == contract::Compatibility::kSame) {
      mapped = map_segment(static_cast<int>(fd));
    } else {
      refuse(static_cast<int>(fd), identity.version, compatibility);
    }
  }
  raw_syscall(SYS_close, fd);
  return mapped;
}

// The page by which a forked child knows that it is one. A child without it would write into its
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
  // The observer of a bare preload has not set yet what it tracks.
  if (started || tracks(contract::kTrackOrder | contract::kTrackContention))
    find_inherited_filter();
  install_pause_handler();
  attach_thread();
}

}  // namespace
}  // namespace tailback
