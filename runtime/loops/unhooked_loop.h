// An event loop whose waits the recorder can't see, since its program makes the system calls in its
// own code (liburing linked statically, Rust's linux_raw, Zig): told from where the kernel shows
// its thread to be blocked. Knows nothing of /proc: it is given what was seen.
#pragma once

#include <cstdint>
#include <optional>

#include "instrument/contract/intercepts.h"
#include "runtime/kernel/kernel_facts.h"

namespace tailback {

// A place in a program that waits for events.
struct WaitPlace {
  intercept::Function function = intercept::Function::kNone;  // libc's, of the same arguments
  uint64_t stack_pointer = 0;
  uint64_t instruction_pointer = 0;
  int fd = -1;  // of the epoll or the ring; -1 for poll and select, and where it is not known

  bool operator==(const WaitPlace&) const = default;
};

// Nothing for a system call that waits for no event.
std::optional<WaitPlace> wait_place(const KernelCall& call);

class UnhookedLoop {
 public:
  // A seldom look: `blocked` is the call that the thread is blocked in, `switches` how often it has
  // given up its CPU of itself. Seen often enough at one place, with other activity in between and
  // blocked nowhere else, the thread is a loop.
  void survey(const std::optional<KernelCall>& blocked, uint64_t switches);
  bool is_candidate() const { return sightings_ > 0; }
  bool is_loop() const;
  const WaitPlace& home() const { return home_; }

  // A look at a loop, at every interval. The thread is away as long as it was blocked in one and
  // the same call, and is not known to have been anywhere else: while it runs, nobody knows.
  void look(uint64_t tick, const std::optional<KernelCall>& blocked, uint64_t switches);

  // Whether a thread that is seen so is still in the call of the look before.
  bool is_still_away(const std::optional<KernelCall>& blocked, uint64_t switches) const;

  struct Away {
    uint64_t since = 0;   // ticks of the first look that found it in this call
    uint64_t until = 0;   // and of the last
    uint64_t before = 0;  // of the look before the first: it may have gone away from then on
    uint64_t stack_pointer = 0;
  };
  const std::optional<Away>& away() const { return away_; }

  // Whether its waits outnumber its stalls by as much as a loop's do; to be asked of each stall.
  bool allows_another_stall();

 private:
  WaitPlace home_;
  unsigned sightings_ = 0;
  unsigned elsewhere_ = 0;  // surveys in a row that have found a loop waiting at another place
  uint64_t first_switches_ = 0;
  uint64_t last_switches_ = 0;
  uint64_t stalls_ = 0;
  uint64_t last_poll_ = 0;
  std::optional<Away> away_;
  KernelCall away_call_;
  uint64_t away_switches_ = 0;
};

}  // namespace tailback
