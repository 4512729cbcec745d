// Which wait site a poll or select belongs to.
//
// The site is the call site. But a program may make all its polls at one call site (GLib, Python):
// a wait that is deeper on the stack than the loop's own, during the loop's iteration, and that has
// no descriptor in common with it, is a wait within the iteration and has a site of its own. A
// nested run of the same loop has descriptors in common.
//
// A set that has a loop's epoll descriptor makes the wait one of that loop, too.
#pragma once

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/polled_set.h"

namespace tailback {

class PolledWait {
 public:
  PolledWait(const CallScope& scope, Function function, uint64_t call_site, uint64_t frame);

  // Whether the site depends on the wait's descriptors: then they are to be given, unless they are
  // not known.
  bool depends_on_set() const { return depends_on_set_; }
  void resolve(const PolledSet& set);
  // Whether the site's set is to be remembered. A system call or a copy at each wait would slow the
  // program down, and a set changes by few descriptors at a time.
  bool is_due() const { return is_due_; }
  void remember(const PolledSet& set) const;

  uint64_t key() const { return key_; }
  // Bit i: the set has the epoll descriptor of the thread's wait site i.
  uint32_t epolls() const { return epolls_; }

 private:
  const contract::ThreadRecord* record_;
  Function function_;
  uint64_t call_site_;
  uint64_t frame_;
  uint64_t entered_;
  uint64_t key_;
  uint32_t epolls_ = 0;
  bool depends_on_set_ = false;
  bool is_due_ = false;
};

}  // namespace tailback
