#include "runtime/loops/idle_waits.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>

#include "runtime/segment/live_threads.h"

namespace tailback {

using contract::IdleWait;
using contract::ThreadRecord;
using contract::WaitSite;

bool may_be_idle_wait(const CallView& call) {
  using intercept::Function;
  if (!intercept::may_be_named_wait(call.function) ||
      intercept::facts_of(call.function).family == intercept::Family::kSleep) {
    return false;
  }
  if (call.function != Function::syscall) return true;
  if (call.arguments[0] != SYS_futex) return false;
  const uint64_t operation = call.arguments[2] & FUTEX_CMD_MASK;
  return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
}

namespace {

bool is_idle_wait(const ThreadRecord& record, uint64_t call_site, uint64_t stack_pointer) {
  return call_site != 0 &&
         std::any_of(std::begin(record.idle_waits), std::end(record.idle_waits),
                     [&](const IdleWait& known) {
                       return known.call_site.load(std::memory_order_relaxed) == call_site &&
                              known.stack_pointer.load(std::memory_order_relaxed) == stack_pointer;
                     });
}

}  // namespace

bool is_idle_wait(const ThreadRecord& record, const CallView& call) {
  return is_idle_wait(record, call.call_site, call.context.stack_pointer);
}

void add_idle_wait(ThreadRecord& record, uint32_t generation, uint64_t call_site,
                   uint64_t stack_pointer) {
  if (record.generation.load() != generation || is_idle_wait(record, call_site, stack_pointer)) {
    return;
  }
  const auto free = std::find_if(std::begin(record.idle_waits), std::end(record.idle_waits),
                                 [](const IdleWait& known) { return known.call_site.load() == 0; });
  IdleWait& place = free != std::end(record.idle_waits) ? *free : record.idle_waits[0];
  place.call_site.store(0);
  place.stack_pointer.store(stack_pointer);
  place.call_site.store(call_site);
}

namespace {

LoopSharing sharing_at(const ThreadRecord& other, uint64_t key, uint64_t since) {
  for (const WaitSite& place : other.wait_sites) {
    if (place.key.load() != key) continue;
    const uint64_t begin = place.iteration_begin.load();
    if (begin > since) return LoopSharing::kServed;
    const bool waits = begin == 0 && is_event_wait(checked_function(other.call.function.load())) &&
                       other.call.call_site == place.call_site;
    return waits ? LoopSharing::kServed : LoopSharing::kShared;
  }
  return LoopSharing::kAlone;
}

}  // namespace

LoopSharing sharing_of(const contract::Segment& segment, const ThreadRecord& record,
                       uint64_t since) {
  LoopSharing most = LoopSharing::kAlone;
  for (const WaitSite& own : record.wait_sites) {
    const auto site = view_site(own);
    if (!site || !site->is_epoll()) continue;
    // A main thread may be in its first iterations (node's are, until its loop has nothing to do).
    const bool is_main_thread = record.pid.load() == record.tid.load();
    if (site->never_blocks && !is_main_thread) return LoopSharing::kServed;
    for (const auto [index, other] : live_threads(segment)) {
      if (&other == &record || other.process.load() != record.process.load()) continue;
      most = std::max(most, sharing_at(other, site->key, since));
    }
  }
  return most;
}

}  // namespace tailback
