#include "runtime/loops/workers.h"

#include "runtime/loops/loop_model.h"
#include "runtime/segment/live_threads.h"

namespace tailback {

using contract::ThreadRecord;

namespace {

// Whether other threads of the process wait at the same place, or read the same descriptor.
bool is_shared(const contract::Segment& segment, int pid, int tid, const SiteView& site) {
  for (const auto [index, record] : live_threads(segment)) {
    if (record.pid.load(std::memory_order_relaxed) != pid ||
        record.tid.load(std::memory_order_relaxed) == tid) {
      continue;
    }
    for (const SiteView& other : view_sites(record)) {
      if (other.key == site.key || (site.read_fd() >= 0 && other.read_fd() == site.read_fd())) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

bool waits_for_one_connection(ProcSource& proc, ThreadSampler& sampler, int pid,
                              const CallView& call) {
  const bool is_poll =
      call.function == intercept::Function::poll || call.function == intercept::Function::ppoll;
  if (!is_poll || call.arguments[1] != 1) return false;
  const auto polled = sampler.polled_descriptor(pid, call);
  if (!polled || *polled < 0) return false;
  const DescriptorFacts facts = proc.descriptor(pid, *polled);
  return facts.kind == DescriptorKind::kSocket && !facts.text.ends_with("(listening)");
}

bool is_worker(const contract::Segment& segment, const ThreadRecord& record, const SiteView& site,
               uint64_t threshold_ticks, bool serves_one_connection) {
  if (site.is_epoll()) return false;
  for (const contract::WaitSite& place : record.wait_sites) {
    if (place.key.load(std::memory_order_relaxed) == site.key && !site.is_non_event_wait() &&
        !serves_one_connection && is_steady(site, place, threshold_ticks)) {
      return false;
    }
  }
  return is_shared(segment, record.pid.load(std::memory_order_relaxed),
                   record.tid.load(std::memory_order_relaxed), site);
}

}  // namespace tailback
