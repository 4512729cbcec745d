// Copies of what a target has published, taken with care: the segment is hostile input. Indexes and
// enums in a view are valid; numbers may still be anything.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "instrument/contract/intercepts.h"
#include "instrument/contract/record_contract.h"

namespace tailback {

struct CallView {
  intercept::Function function = intercept::Function::kNone;
  uint64_t entered = 0;  // with `function` it identifies the call; often a tick, see the contract
  std::array<uint64_t, contract::kArguments> arguments{};
  uint64_t call_site = 0;
  contract::Context context{};

  bool same_call(const CallView& other) const {
    return function == other.function && entered == other.entered;
  }
};

// The call that a thread is in. Nothing if it is in none, or changed while it was read.
std::optional<CallView> view_call(const contract::Call& call);

struct ContributorView {
  intercept::Function function = intercept::Function::kNone;
  uint64_t call_site = 0;
  uint64_t count = 0;
  uint64_t total_ticks = 0;
  uint64_t longest_ticks = 0;
};

struct SiteView {
  uint64_t key = 0;
  uint64_t call_site = 0;
  uint64_t stack_pointer = 0;
  intercept::Function function = intercept::Function::kNone;
  bool never_blocks = false;  // all its waits had a timeout of 0
  uint64_t iteration_begin = 0;
  uint64_t iterations = 0;
  uint64_t busy_ticks = 0;
  uint64_t longest_ticks = 0;
  uint64_t first_tick = 0;
  uint64_t other_ticks = 0;
  std::vector<ContributorView> contributors;  // most time first

  bool is_epoll() const;
  int epoll_fd() const;  // -1 for other waits
  // Whether this is a wait for a signal, or a read().
  bool is_non_event_wait() const;
  int read_fd() const;  // of a wait by read(); -1 for others
  // Whether this is a sleep or a wait on a condition, of a thread that is named as a loop.
  bool is_named_wait() const;
};

// Nothing for a place that is not in use or makes no sense.
std::optional<SiteView> view_site(const contract::WaitSite& site);
// Whether the thread has waited anywhere that has wait sites.
bool has_wait_sites(const contract::ThreadRecord& record);
// Records beyond this many have never had an owner.
uint32_t threads_used(const contract::Segment& segment);

// Those of a thread that are in use.
std::vector<SiteView> view_sites(const contract::ThreadRecord& record);

std::vector<ContributorView> view_contributors(
    const contract::Contributor (&contributors)[contract::kContributors]);

// The function that a word of the segment names; kNone if it names none.
intercept::Function checked_function(uint32_t word);

// Whether the record does not say when a call of this function has returned.
bool is_open_ended(intercept::Function function);

// Whether a function waits for events.
bool is_event_wait(intercept::Function function);

// Whether a function may have wait sites on any thread: event waits, and non-event waits in which a
// loop may wait (for a signal, reads of what stands for events).
bool tracks_iterations(intercept::Function function);
// The same on a thread that is named as a loop: also waits on a condition, and sleeps.
bool may_have_wait_site(intercept::Function function);

}  // namespace tailback
