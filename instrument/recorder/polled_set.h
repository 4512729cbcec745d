// The descriptors that a poll or select waits for.
#pragma once

#include <poll.h>
#include <stdint.h>
#include <sys/select.h>

#include "instrument/contract/intercepts.h"
#include "instrument/recorder/rules.h"

namespace tailback {

using intercept::Function;

class PolledSet {
 public:
  // Both are false for a set that is very large: then it is unknown, and no other member may be
  // used.
  //
  // Reads the program's memory. Only for an array that the kernel has taken a moment ago: the
  // pointer of a call that is about to be made may be bad.
  bool read(const struct pollfd* entries, nfds_t count);
  // Copies by a system call, so that the pointers may be bad. nullptr: no such set.
  bool copy(int pid, int count, const fd_set* reads, const fd_set* writes,
            const fd_set* exceptions);

  bool is_empty() const;
  bool has(int fd) const;
  bool shares_any(const PolledSet& other) const;
  void keep_common(const PolledSet& other);
  // Whether one of its descriptors is open: of the first few. Asks by the system call that
  // `poll_function` makes: where a filter of system calls is in force, a program that polls may
  // make that one.
  bool has_open(Function poll_function) const;

 private:
  static constexpr int kLimit = 1024;  // descriptors from here on make a set unknown

  uint64_t words_[kLimit / 64] = {};
};

}  // namespace tailback
