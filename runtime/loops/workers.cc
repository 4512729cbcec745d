#include "runtime/loops/workers.h"

#include "runtime/loops/loop_model.h"
#include "runtime/segment/live_threads.h"
#include "runtime/values/frame.h"

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

bool is_poll_of_few(const CallView& call) {
  return (call.function == intercept::Function::poll ||
          call.function == intercept::Function::ppoll) &&
         (call.arguments[1] == 1 || call.arguments[1] == 2);
}

PollPurpose purpose_of_poll(ProcSource& proc, ThreadSampler& sampler, int pid, const CallView& call,
                            std::string_view module) {
  const std::string_view name = file_name(module);
  const bool is_ruby = name.starts_with("libruby") || name.starts_with("ruby");
  const bool is_of_one = call.arguments[1] == 1;
  if (!is_poll_of_few(call) || (!is_of_one && !is_ruby)) return PollPurpose::kEvents;
  // Ruby's main thread sleeps in a poll of two, both its own.
  const auto polled = sampler.polled_descriptor(pid, call);
  if (!polled || *polled < 0) return PollPurpose::kEvents;
  const DescriptorFacts facts = proc.descriptor(pid, *polled);
  if (is_of_one && facts.kind == DescriptorKind::kSocket && !facts.text.ends_with("(listening)")) {
    return PollPurpose::kOneConnection;
  }
  return facts.kind == DescriptorKind::kEvent && is_ruby ? PollPurpose::kInterpreterSleep
                                                         : PollPurpose::kEvents;
}

bool is_worker(const contract::Segment& segment, const ThreadRecord& record, const SiteView& site,
               uint64_t threshold_ticks, bool serves_one_connection) {
  if (site.is_epoll()) return false;
  for (const contract::WaitSite& place : record.wait_sites) {
    if (place.key.load(std::memory_order_relaxed) == site.key && !site.is_non_event_wait() &&
        !serves_one_connection && !site.never_blocks && is_steady(site, place, threshold_ticks)) {
      return false;
    }
  }
  return is_shared(segment, record.pid.load(std::memory_order_relaxed),
                   record.tid.load(std::memory_order_relaxed), site);
}

}  // namespace tailback
