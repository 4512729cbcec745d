#include "instrument/recorder/start_observer.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "instrument/contract/compatibility.h"
#include "instrument/recorder/complaint.h"
#include "instrument/recorder/environment.h"
#include "instrument/recorder/machine.h"

// This library's own, where link.h declares that of whatever module refers to it.
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

namespace tailback {
namespace {

constexpr size_t kPathSize = 4096;

// Until the observer runs and sets its threshold, any iteration that may be over it goes into the
// ring: of 1 ms and more, which is at least this many ticks of any source. The observer drops those
// that are too short.
constexpr uint64_t kFirstThreshold = 1000000;

// Decimal digits of a number, at `out`; returns the end.
char* write_number(char* out, unsigned number) {
  char digits[12];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number);
  while (count) *out++ = digits[--count];
  *out = '\0';
  return out;
}

char* write_text(char* out, const char* text) {
  while (*text) *out++ = *text++;
  *out = '\0';
  return out;
}

// The path of this library as the loader has it, up to its last '/'.
int find_directory(dl_phdr_info* info, size_t, void* data) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    if (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr != reinterpret_cast<uintptr_t>(_DYNAMIC)) {
      continue;
    }
    const size_t length = strlen(info->dlpi_name);
    if (length + 32 > kPathSize) return 1;
    char* out = static_cast<char*>(data);
    memcpy(out, info->dlpi_name, length + 1);
    char* slash = strrchr(out, '/');
    (slash ? slash : out)[slash ? 1 : 0] = '\0';
    return 1;
  }
  return 0;
}

bool tsc_is_invariant() {
  unsigned a, b, c, d;
  if (!__get_cpuid(0x80000007, &a, &b, &c, &d)) return false;
  return d & (1u << 8);
}

// The observer's process, from fork to exec. Never returns.
[[noreturn]] void become_observer(int segment_fd) {
  raw_syscall(SYS_setsid);
  // No descriptor of the target may stay open: the reader of a pipe would wait for this process.
  static const char null_device[] = "/dev/null";
  const long null_fd =
      raw_syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(null_device), O_RDWR);
  const char* json = environment_value("TAILBACK_JSON");
  const bool wants_output = json && strcmp(json, "-") == 0;
  raw_syscall(SYS_dup2, null_fd, 0);
  if (!wants_output) raw_syscall(SYS_dup2, null_fd, 1);
  if (raw_syscall(SYS_fcntl, 2, F_GETFD) < 0) raw_syscall(SYS_dup2, null_fd, 2);
  raw_syscall(SYS_close_range, 3, segment_fd - 1, 0);
  raw_syscall(SYS_close_range, segment_fd + 1, ~0u, 0);
  raw_syscall(SYS_fcntl, segment_fd, F_SETFD, 0);
  const uint64_t no_signals = 0;
  raw_syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, reinterpret_cast<long>(&no_signals), 0, 8);

  char directory[kPathSize] = "";
  dl_iterate_phdr(find_directory, directory);
  char** variables = static_cast<char**>(map_pages((environment_count() + 1) * sizeof(char*)));
  if (!variables) raw_syscall(SYS_exit_group, 1);
  copy_environment_without("LD_PRELOAD", variables);

  char session[64];
  write_number(write_text(session, "/proc/self/fd/"), static_cast<unsigned>(segment_fd));
  char program[kPathSize];
  constexpr const char* kPlaces[] = {"../bin/tailback", "tailback", "../../bin/tailback"};
  for (const char* place : kPlaces) {
    write_text(write_text(program, directory), place);
    const char* arguments[] = {program, "observe", "--session", session, nullptr};
    raw_syscall(SYS_execve, reinterpret_cast<long>(program), reinterpret_cast<long>(arguments),
                reinterpret_cast<long>(variables));
  }
  complain("no observer: bin/tailback is not beside the lib folder of libtailback.so: ", directory);
  raw_syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

// Forks twice, so that the observer is not the target's child. A clone without an exit signal is
// invisible to the target's SIGCHLD handler and to its waits. Returns the observer's pid, or 0.
int fork_detached(contract::Segment& made, int segment_fd) {
  const long middle = raw_syscall(SYS_clone, 0);
  if (middle == 0) {
    const long observer = raw_syscall(SYS_clone, SIGCHLD);
    if (observer == 0) become_observer(segment_fd);
    if (observer > 0) made.header.observer.store(static_cast<int>(observer));
    raw_syscall(SYS_exit_group, 0);
  }
  if (middle < 0) return 0;
  while (raw_syscall(SYS_wait4, middle, 0, static_cast<long>(__WCLONE)) == -EINTR) {
  }
  return made.header.observer.load();
}

// Whether the limits allow a file of the segment's size. An attempt would raise SIGXFSZ.
bool fits_limit_of_file_size() {
  struct rlimit limit;
  if (raw_syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, reinterpret_cast<long>(&limit)) != 0) {
    return false;
  }
  return limit.rlim_cur >= sizeof(contract::Segment);
}

}  // namespace

contract::Segment* start_observer() {
  if (!fits_limit_of_file_size()) return nullptr;
  static const char name[] = "tailback";
  const long made_fd =
      raw_syscall(SYS_memfd_create, reinterpret_cast<long>(name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (made_fd < 0) return nullptr;
  // Not 0, 1 or 2, which the program may have been started without.
  const long fd = raw_syscall(SYS_fcntl, made_fd, F_DUPFD_CLOEXEC, 3);
  raw_syscall(SYS_close, made_fd);
  if (fd < 0) return nullptr;
  contract::Segment* made = nullptr;
  if (raw_syscall(SYS_ftruncate, fd, sizeof(contract::Segment)) == 0) {
    raw_syscall(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    made = map_segment(static_cast<int>(fd));
  }
  int observer = 0;
  if (made) {
    contract::identify(made->header.identity);
    made->header.tick_source =
        tsc_is_invariant() ? contract::TickSource::kTsc : contract::TickSource::kMonotonic;
    made->header.threshold_ticks.store(kFirstThreshold);
    made->header.identity.magic.store(contract::kMagic, std::memory_order_release);
    observer = fork_detached(*made, static_cast<int>(fd));
  }
  raw_syscall(SYS_close, fd);
  if (observer <= 0) {
    if (made) raw_syscall(SYS_munmap, reinterpret_cast<long>(made), sizeof(contract::Segment));
    return nullptr;
  }
  if (char* entry = static_cast<char*>(map_pages(128))) {
    char* out = write_text(entry, contract::kSessionVariable);
    out = write_number(write_text(out, "=/proc/"), static_cast<unsigned>(observer));
    write_number(write_text(out, "/fd/"), static_cast<unsigned>(fd));
    add_to_environment(entry);
  }
  return made;
}

}  // namespace tailback
