#include "instrument/recorder/wait_sites.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include "instrument/contract/histogram.h"
#include "instrument/recorder/allowance.h"
#include "instrument/recorder/ring.h"

namespace tailback {

using contract::ThreadRecord;
using contract::WaitSite;

namespace {

// How many epoll and io_uring instances have had each number. Numbers beyond the table share its
// last entry.
constexpr int kGenerations = 1024;
uint32_t descriptor_generations[kGenerations];

uint32_t& generation_of(int fd) {
  const int index = fd >= 0 && fd < kGenerations ? fd : kGenerations - 1;
  return descriptor_generations[index];
}

// How many instances have ended at each address; addresses share the entries.
constexpr uint32_t kInstances = 64;
uint32_t instance_generations[kInstances];

uint32_t& generation_of(const void* instance) {
  const auto address = reinterpret_cast<uint64_t>(instance);
  return instance_generations[(address >> 4 ^ address >> 12) % kInstances];
}

bool is_event_wait(uint32_t function) {
  return function < intercept::kFunctionCount &&
         intercept::kFunctions[function].family == intercept::Family::kEvents;
}

// nullptr if there is no room for a non-event wait.
WaitSite* find_site(ThreadRecord& record, uint64_t key, bool of_events) {
  WaitSite* free_site = nullptr;
  WaitSite* least = nullptr;
  for (WaitSite& site : record.wait_sites) {
    const uint64_t other = site.key.load(std::memory_order_relaxed);
    if (other == 0) {
      if (!free_site) free_site = &site;
    } else if (other == key || contract::place_of_key(other) == contract::place_of_key(key)) {
      return &site;
    } else if (!of_events && is_event_wait(site.function)) {
      continue;
    } else if (!least || site.iterations.load(std::memory_order_relaxed) <
                             least->iterations.load(std::memory_order_relaxed)) {
      least = &site;
    }
  }
  if (free_site) {
    record.sites.fetch_add(1, std::memory_order_relaxed);
    return free_site;
  }
  if (!least) return nullptr;
  least->key.store(0, std::memory_order_release);
  __builtin_memset(static_cast<void*>(least), 0, sizeof *least);
  return least;
}

// The waits of a thread that is marked as a loop are one site, by whatever calls they are made.
// Waits deeper in the stack, in a callback, are not.
uint64_t key_within_loop(ThreadRecord& record, uint64_t key, uint64_t stack_pointer) {
  if (!contract::is_call_site_key(key) || key == contract::kMarkedWaitKey ||
      stack_pointer < record.loop_stack) {
    return key;
  }
  record.loop_stack = stack_pointer;
  return contract::kMarkedLoopKey;
}

contract::Event event_of(const ThreadRecord& record, const WaitSite& site,
                         contract::EventKind kind) {
  contract::Event event;
  __builtin_memset(&event, 0, sizeof event);
  event.kind = static_cast<uint32_t>(kind);
  event.record = static_cast<uint32_t>(&record - segment->threads);
  event.generation = record.generation.load(std::memory_order_relaxed);
  event.pid = record.pid.load(std::memory_order_relaxed);
  event.tid = record.tid.load(std::memory_order_relaxed);
  event.function = site.function;
  event.key = site.key.load(std::memory_order_relaxed);
  event.iteration = site.iterations.load(std::memory_order_relaxed);
  return event;
}

TAILBACK_COLD void push_long_iteration(const ThreadRecord& record, const WaitSite& site,
                                       uint64_t begin, uint64_t end) {
  contract::Event event = event_of(record, site, contract::EventKind::kIteration);
  event.call_site = site.call_site;
  event.begin_tick = begin;
  event.end_tick = end;
  event.other_ticks = site.other_ticks;
  for (const WaitSite& other : record.wait_sites) {
    const uint64_t returned = other.iteration_begin.load(std::memory_order_relaxed);
    if (&other == &site || other.stack_pointer != site.stack_pointer || returned >= end) continue;
    if (returned <= begin || returned <= event.sibling_return) continue;
    event.sibling_key = other.key.load(std::memory_order_relaxed);
    event.sibling_return = returned;
  }
  event.allowed_ticks = allowed_within(record, site, begin, end);
  const contract::IterationName& name = segment->iteration_names[event.record];
  if (name.tick.load(std::memory_order_relaxed) >= begin) {
    __builtin_memcpy(event.name, name.text, sizeof event.name);
  }
  for (uint32_t i = 0; i < contract::kContributors; ++i) {
    event.contributors[i] = site.contributors[i];
  }
  push_event(event);
}

TAILBACK_COLD void push_pending_events(const ThreadRecord& record, const WaitSite& site,
                                       uint32_t ready, uint64_t tick) {
  contract::Event event = event_of(record, site, contract::EventKind::kPendingEvents);
  event.end_tick = tick;
  event.ready = ready;
  push_event(event);
}

// What a wait means for the iterations in progress at other depths of its thread's stack. A wait
// ends the iterations that were nested in the one before it. Depth alone does not say what is
// nested: a loop may wait within functions of its own, deeper than what its callbacks call. So of
// two sites that alternate, the one with more iterations is the loop. But a site with few
// iterations belongs to what came before the loop if a new site appears nearer to the base of the
// stack. Returns whether the thread has left this site: then its iteration, which began at `begin`
// (0: none), is void.
TAILBACK_INLINE bool settle_other_depths(ThreadRecord& record, const WaitSite& site, uint64_t begin,
                                         uint64_t stack_pointer, bool of_events) {
  const uint64_t iterations = site.iterations.load(std::memory_order_relaxed);
  bool left = false;
  for (WaitSite& other : record.wait_sites) {
    const uint64_t other_begin = other.iteration_begin.load(std::memory_order_relaxed);
    if (other_begin == 0 || &other == &site || other.stack_pointer == stack_pointer) continue;
    // A non-event wait means nothing for event waits.
    if (!of_events && is_event_wait(other.function)) continue;
    const uint64_t other_iterations = other.iterations.load(std::memory_order_relaxed);
    const bool within = begin != 0 && other_begin > begin;
    if (other.stack_pointer < stack_pointer) {
      if (!within && other_iterations > iterations) continue;
    } else {
      if (!within || (of_events && !is_event_wait(other.function))) continue;
      const bool is_newcomer =
          other.first_tick > begin && (iterations < contract::kEstablishedIterations ||
                                       other_iterations >= contract::kEstablishedIterations);
      if (other_iterations > iterations || is_newcomer) {
        left = true;
        continue;
      }
    }
    other.iteration_begin.store(0, std::memory_order_relaxed);
  }
  return left;
}

// Counts the iteration, and says whether it was longer than the threshold.
TAILBACK_INLINE bool end_iteration(const ThreadRecord& record, WaitSite& site, uint64_t begin,
                                   uint64_t end) {
  const uint64_t length = end - begin;
  site.iterations.store(site.iterations.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  site.busy_ticks += length;
  if (length > site.longest_ticks) site.longest_ticks = length;
  ++site.histogram[contract::histogram_bucket(length)];
  if (__builtin_expect(length <= segment->header.threshold_ticks.load(std::memory_order_relaxed),
                       1)) {
    return false;
  }
  push_long_iteration(record, site, begin, end);
  return true;
}

TAILBACK_INLINE void forget_sums(WaitSite& site) {
  site.other_ticks = 0;
  site.allowed_ticks = 0;
  for (contract::Contributor& entry : site.contributors) {
    if (entry.count == 0) break;
    entry.count = 0;
  }
}

// Ends the iterations in progress of the loops whose descriptors are polled.
TAILBACK_COLD void end_epoll_iterations(ThreadRecord& record, uint32_t places, uint64_t now) {
  for (uint32_t i = 0; i < contract::kWaitSites; ++i) {
    WaitSite& site = record.wait_sites[i];
    const uint64_t begin = site.iteration_begin.load(std::memory_order_relaxed);
    if ((places >> i & 1) == 0) continue;
    site.blocking = static_cast<uint16_t>(contract::SiteBlocking::kSome);
    if (begin == 0) continue;
    site.iteration_begin.store(0, std::memory_order_relaxed);
    if (begin < now) end_iteration(record, site, begin, now);
  }
}

TAILBACK_COLD void begin_epoll_iterations(ThreadRecord& record, uint32_t places) {
  const uint64_t now = ticks();
  for (uint32_t i = 0; i < contract::kWaitSites; ++i) {
    WaitSite& site = record.wait_sites[i];
    if ((places >> i & 1) == 0) continue;
    if (!contract::is_descriptor_key(site.key.load(std::memory_order_relaxed))) continue;
    forget_sums(site);
    site.iteration_begin.store(now, std::memory_order_release);
  }
}

}  // namespace

uint64_t descriptor_wait_key(int fd) {
  return contract::descriptor_key(fd, __atomic_load_n(&generation_of(fd), __ATOMIC_RELAXED));
}

void count_new_descriptor(int fd) {
  if (fd >= 0) __atomic_fetch_add(&generation_of(fd), 1, __ATOMIC_RELAXED);
}

uint64_t instance_wait_key(const void* instance) {
  return contract::instance_key(reinterpret_cast<uint64_t>(instance),
                                __atomic_load_n(&generation_of(instance), __ATOMIC_RELAXED));
}

void end_instance(const void* instance) {
  if (ThreadRecord* record = current_record()) {
    const uint64_t place = contract::place_of_key(instance_wait_key(instance));
    for (WaitSite& site : record->wait_sites) {
      if (contract::place_of_key(site.key.load(std::memory_order_relaxed)) == place) {
        site.iteration_begin.store(0, std::memory_order_relaxed);
      }
    }
  }
  __atomic_fetch_add(&generation_of(instance), 1, __ATOMIC_RELAXED);
}

void IterationBoundary::enter(CallScope& scope, Function function, uint64_t key, uint64_t call_site,
                              uint64_t frame) {
  ThreadRecord* record = scope.record();
  if (!record) return;
  if (__builtin_expect(record->mark.load(std::memory_order_relaxed) ==
                           static_cast<uint32_t>(contract::ThreadMark::kLoop),
                       0)) {
    key = key_within_loop(*record, key, frame);
  }
  const bool of_events = is_event_wait(static_cast<uint32_t>(function));
  WaitSite* const found = find_site(*record, key, of_events);
  if (__builtin_expect(found == nullptr, 0)) return;
  WaitSite& site = *found;
  site_ = &site;
  key_ = key;
  scope.set_own_site(&site);
  const uint64_t now = scope.is_timed() ? scope.entered() : ticks();
  const uint64_t begin = site.iteration_begin.load(std::memory_order_relaxed);
  if (__builtin_expect(blocking_is_allowed(*record), 0) && frame >= record->allowed_stack) {
    end_allowance(*record, now);
  }
  const uint64_t old_key = site.key.load(std::memory_order_relaxed);
  if (old_key != key) {
    site.key.store(key, std::memory_order_relaxed);
    if (old_key == 0) site.first_tick = now;
  }
  site.function = static_cast<uint32_t>(function);
  site.call_site = call_site;
  site.stack_pointer = frame;
  const uint64_t own_begin = old_key == key ? begin : 0;
  const bool left = settle_other_depths(*record, site, own_begin, frame, of_events);
  site.iteration_begin.store(0, std::memory_order_relaxed);
  if (own_begin == 0 || left || now <= begin) return;

  iteration_was_long_ = end_iteration(*record, site, begin, now);
}

void IterationBoundary::enter(CallScope& scope, Function function, const PolledWait& wait,
                              uint64_t call_site, uint64_t frame) {
  enter(scope, function, wait.key(), call_site, frame);
  if (__builtin_expect(wait.epolls() != 0 && site_ != nullptr, 0)) {
    epolls_ = wait.epolls();
    end_epoll_iterations(*scope.record(), epolls_, scope.entered());
  }
}

void IterationBoundary::leave(const CallScope& scope, int ready) {
  WaitSite* site = site_;
  if (!site || !still_in_same_process()) return;
  if (__builtin_expect(epolls_ != 0, 0)) begin_epoll_iterations(*scope.record(), epolls_);
  // A signal handler's own wait may have taken the place.
  if (site->key.load(std::memory_order_relaxed) != key_) return;
  const uint64_t now = ticks();
  const int most = ready < UINT16_MAX ? ready : UINT16_MAX;
  site->last_ready = static_cast<uint16_t>(most > 0 ? most : 0);
  forget_sums(*site);
  if (__builtin_expect(iteration_was_long_, 0)) {
    push_pending_events(*scope.record(), *site, site->last_ready, now);
  }
  site->iteration_begin.store(now, std::memory_order_release);
}

TAILBACK_COLD bool is_idle(const ThreadRecord& record) {
  for (const contract::IdleWait& wait : record.idle_waits) {
    if (wait.call_site.load(std::memory_order_relaxed) == record.call.call_site &&
        wait.stack_pointer.load(std::memory_order_relaxed) == record.call.context.stack_pointer) {
      return record.call.call_site != 0;
    }
  }
  return false;
}

TAILBACK_COLD void end_iterations_at_idle_wait(ThreadRecord& record, uint64_t entered,
                                               uint64_t left) {
  for (WaitSite& site : record.wait_sites) {
    const uint64_t begin = site.iteration_begin.load(std::memory_order_relaxed);
    if (begin == 0 || begin > entered) continue;
    if (begin < entered) end_iteration(record, site, begin, entered);
    forget_sums(site);
    site.iteration_begin.store(left, std::memory_order_release);
  }
}

TAILBACK_COLD bool is_named_wait(const ThreadRecord& record, Function function) {
  if ((record.sites.load(std::memory_order_relaxed) & contract::kNamedLoop) == 0) return false;
  if (!intercept::may_be_named_wait(function)) return false;
  if (function != Function::syscall) return true;
  const uint64_t operation = record.call.arguments[2] & FUTEX_CMD_MASK;
  return record.call.arguments[0] == SYS_futex &&
         (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET);
}

TAILBACK_COLD const WaitSite* note_named_wait(ThreadRecord& record, Function function,
                                              uint64_t call_site, uint64_t frame, uint64_t entered,
                                              uint64_t left) {
  const uint64_t key = contract::call_site_key(call_site);
  WaitSite* const site = find_site(record, key, false);
  if (!site) return nullptr;
  const uint64_t begin = site->iteration_begin.load(std::memory_order_relaxed);
  if (site->key.load(std::memory_order_relaxed) != key) {
    site->key.store(key, std::memory_order_relaxed);
    site->first_tick = entered;
  }
  site->function = static_cast<uint32_t>(function);
  site->call_site = call_site;
  site->stack_pointer = frame;
  // Other calls of the same frame are waits of the same loop (with and without a timeout).
  for (WaitSite& other : record.wait_sites) {
    const uint64_t other_begin = other.iteration_begin.load(std::memory_order_relaxed);
    if (&other == site || other_begin == 0 || other.stack_pointer != frame ||
        other.function >= intercept::kFunctionCount ||
        !intercept::may_be_named_wait(static_cast<Function>(other.function))) {
      continue;
    }
    other.iteration_begin.store(0, std::memory_order_relaxed);
    if (entered > other_begin) end_iteration(record, other, other_begin, entered);
  }
  const bool has_left = settle_other_depths(record, *site, begin, frame, false);
  if (begin != 0 && !has_left && entered > begin) end_iteration(record, *site, begin, entered);
  forget_sums(*site);
  site->iteration_begin.store(left, std::memory_order_release);
  return site;
}

}  // namespace tailback
