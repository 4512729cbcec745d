// Locks on files, of flock(), fcntl() and lockf(), as the kernel lists them: /proc/locks. It names
// processes, not threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailback {

struct FileLock {
  uint64_t id = 0;     // the number in the list: those that wait for a lock have its number
  bool waits = false;  // for a lock that another has
  std::string kind;    // "POSIX", "FLOCK", "OFDLCK", …
  bool writes = false;
  int pid = 0;  // -1: no process in particular (OFDLCK)
  uint64_t inode = 0;
};

// Lines that make no sense are left out.
std::vector<FileLock> parse_file_locks(std::string_view text);
std::vector<FileLock> read_file_locks();

// The processes that hold what a process waits for, on the file of this inode. Nothing if it does
// not wait. Each once, in the order of the list; -1 for a lock that names none.
std::optional<std::vector<int>> file_lock_holders(const std::vector<FileLock>& locks, int pid,
                                                  uint64_t inode);

}  // namespace tailback
