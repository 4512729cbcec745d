#include "instrument/recorder/polled_set.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "instrument/recorder/machine.h"
#include "instrument/recorder/stack_capture.h"

namespace tailback {

bool PolledSet::read(const struct pollfd* entries, nfds_t count) {
  constexpr nfds_t kMostEntries = 256;
  if (count > kMostEntries) return false;
  for (uint64_t& word : words_) word = 0;
  for (nfds_t i = 0; i < count; ++i) {
    const int fd = entries[i].fd;
    if (fd < 0) continue;  // the kernel ignores such an entry
    if (fd >= kLimit) return false;
    words_[fd / 64] |= uint64_t{1} << (fd % 64);
  }
  return true;
}

bool PolledSet::copy(int pid, int count, const fd_set* reads, const fd_set* writes,
                     const fd_set* exceptions) {
  if (count < 0 || count > kLimit) return false;
  for (uint64_t& word : words_) word = 0;
  // The kernel reads whole words of a set.
  const uint32_t words = (static_cast<uint32_t>(count) + 63) / 64;
  if (words == 0) return true;
  const fd_set* const sets[] = {reads, writes, exceptions};
  for (const fd_set* set : sets) {
    if (!set) continue;
    uint64_t copied[kLimit / 64];
    const uint32_t size = words * sizeof copied[0];
    if (copy_mapped(pid, reinterpret_cast<uint64_t>(set), reinterpret_cast<char*>(copied), size) !=
        size) {
      return false;
    }
    for (uint32_t i = 0; i < words; ++i) words_[i] |= copied[i];
  }
  if (count % 64 != 0) words_[count / 64] &= (uint64_t{1} << (count % 64)) - 1;
  return true;
}

bool PolledSet::is_empty() const {
  for (const uint64_t word : words_) {
    if (word != 0) return false;
  }
  return true;
}

bool PolledSet::has(int fd) const {
  return fd >= 0 && fd < kLimit && (words_[fd / 64] >> (fd % 64) & 1) != 0;
}

bool PolledSet::shares_any(const PolledSet& other) const {
  for (int i = 0; i < kLimit / 64; ++i) {
    if ((words_[i] & other.words_[i]) != 0) return true;
  }
  return false;
}

void PolledSet::keep_common(const PolledSet& other) {
  for (int i = 0; i < kLimit / 64; ++i) words_[i] &= other.words_[i];
}

bool PolledSet::has_open(Function poll_function) const {
  constexpr nfds_t kMostAsked = 8;
  struct pollfd entries[kMostAsked];
  nfds_t count = 0;
  for (int fd = 0; fd < kLimit && count < kMostAsked; ++fd) {
    if (has(fd)) entries[count++] = {fd, 0, 0};
  }
  if (count == 0) return false;
  const auto fds = reinterpret_cast<long>(entries);
  long result;
  if (poll_function == Function::ppoll || poll_function == Function::__ppoll_chk) {
    const struct timespec none = {};
    result = raw_syscall(SYS_ppoll, fds, static_cast<long>(count), reinterpret_cast<long>(&none), 0,
                         sizeof(uint64_t));
  } else {
    result = raw_syscall(SYS_poll, fds, static_cast<long>(count), 0);
  }
  // A descriptor that is closed is an event. The call ends with EINTR only if there was none.
  if (result <= 0) return result == 0 || result == -EINTR;
  for (nfds_t i = 0; i < count; ++i) {
    if ((entries[i].revents & POLLNVAL) == 0) return true;
  }
  return false;
}

}  // namespace tailback
