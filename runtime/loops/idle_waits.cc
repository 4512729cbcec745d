#include "runtime/loops/idle_waits.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>

namespace tailback {

using contract::IdleWait;
using contract::ThreadRecord;
using contract::WaitSite;

bool may_be_idle_wait(const CallView& call) {
  const intercept::Family family =
      intercept::kFunctions[static_cast<uint32_t>(call.function)].family;
  if (family == intercept::Family::kWait) return true;
  if (call.function != intercept::Function::syscall || call.arguments[0] != SYS_futex) return false;
  const uint64_t operation = call.arguments[2] & FUTEX_CMD_MASK;
  return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
}

bool is_idle_wait(const ThreadRecord& record, const CallView& call) {
  return call.call_site != 0 &&
         std::any_of(std::begin(record.idle_waits), std::end(record.idle_waits),
                     [&](const IdleWait& park) {
                       return park.call_site.load(std::memory_order_relaxed) == call.call_site &&
                              park.stack_pointer.load(std::memory_order_relaxed) ==
                                  call.context.stack_pointer;
                     });
}

void add_idle_wait(ThreadRecord& record, uint32_t generation, const CallView& call) {
  if (record.generation.load() != generation || is_idle_wait(record, call)) return;
  const auto free = std::find_if(std::begin(record.idle_waits), std::end(record.idle_waits),
                                 [](const IdleWait& park) { return park.call_site.load() == 0; });
  IdleWait& place = free != std::end(record.idle_waits) ? *free : record.idle_waits[0];
  place.call_site.store(0);
  place.stack_pointer.store(call.context.stack_pointer);
  place.call_site.store(call.call_site);
}

bool shares_loop(const contract::Segment& segment, const ThreadRecord& record) {
  const uint32_t used = threads_used(segment);
  const auto waits_at = [](const ThreadRecord& other, uint64_t key) {
    return std::any_of(std::begin(other.wait_sites), std::end(other.wait_sites),
                       [&](const WaitSite& site) { return site.key.load() == key; });
  };
  for (const WaitSite& own : record.wait_sites) {
    const auto site = view_site(own);
    if (!site || !site->is_epoll()) continue;
    for (uint32_t i = 0; i < used; ++i) {
      const ThreadRecord& other = segment.threads[i];
      if (&other != &record && other.process.load() == record.process.load() &&
          other.state.load() == static_cast<uint32_t>(contract::ThreadState::kLive) &&
          waits_at(other, site->key)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace tailback
