#include "instrument/recorder/blocking_calls.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "instrument/recorder/machine.h"
#include "instrument/recorder/ring.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

using contract::ReadRequest;
using contract::ThreadRecord;
using contract::WaitSite;
using intercept::Function;

namespace {

constexpr uint32_t as_word(ReadRequest read_request) {
  return static_cast<uint32_t>(read_request);
}

// The site of the outermost iteration in progress, of a loop with at least one iteration before it.
// Not the call's own site.
const WaitSite* iteration_in_progress(const ThreadRecord& record, const WaitSite* own_site) {
  const WaitSite* outermost = nullptr;
  for (const WaitSite& site : record.wait_sites) {
    if (&site == own_site || site.iteration_begin.load(std::memory_order_relaxed) == 0 ||
        site.iterations.load(std::memory_order_relaxed) == 0) {
      continue;
    }
    if (!outermost || site.stack_pointer > outermost->stack_pointer) outermost = &site;
  }
  return outermost;
}

// How many read requests each place of the program has made. Places share the entries.
constexpr uint32_t kPlaces = 1024;
uint8_t requests_by_place[kPlaces];

bool was_requested_often(Function function, uint64_t call_site, uint64_t stack_pointer) {
  uint64_t hash = contract::spread(call_site);
  hash = contract::spread(hash ^ stack_pointer ^ static_cast<uint64_t>(function) << 48);
  uint8_t& count = requests_by_place[hash >> 54];
  static_assert(kPlaces == 1024);
  if (__atomic_load_n(&count, __ATOMIC_RELAXED) >= contract::kReadRequestsPerPlace) return true;
  __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
  return false;
}

// Whether the call can't have waited without end: its descriptor does not block, is closed by now,
// or is a file or a directory, which the call does not lock. The observer would come to the same
// answer, but the thread would have to wait for it.
bool never_blocks(const intercept::FunctionFacts& facts, const contract::Call& call) {
  if (facts.has(intercept::kLocksFile) || !intercept::takes_descriptor(facts)) return false;
  const auto fd = static_cast<int>(call.arguments[0]);
  const long flags = raw_syscall(SYS_fcntl, fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK)) return true;
  struct stat file;
  if (raw_syscall(SYS_fstat, fd, reinterpret_cast<long>(&file)) != 0) return true;
  return S_ISREG(file.st_mode) || S_ISDIR(file.st_mode);
}

// Requests in a row that the observer has not answered.
uint32_t unanswered = 0;
bool may_request_read = true;

// Waits until the observer has read the call, or for `patience`.
void read_request(ThreadRecord& record, uint64_t duration, uint64_t patience) {
  record.requested_call_ticks =
      duration < UINT32_MAX ? static_cast<uint32_t>(duration) : UINT32_MAX;
  record.read_request.store(as_word(ReadRequest::kRequested), std::memory_order_release);
  const uint64_t begin = ticks();
  while (record.read_request.load(std::memory_order_acquire) == as_word(ReadRequest::kRequested)) {
    if (ticks() - begin > patience) {
      uint32_t expected = as_word(ReadRequest::kRequested);
      if (!record.read_request.compare_exchange_strong(expected, as_word(ReadRequest::kNone)))
        break;
      segment->header.read_requests_missed.fetch_add(1, std::memory_order_relaxed);
      __atomic_fetch_add(&unanswered, 1, __ATOMIC_RELAXED);
      return;
    }
    raw_syscall(SYS_sched_yield);
  }
  record.read_request.store(as_word(ReadRequest::kNone), std::memory_order_release);
  __atomic_store_n(&unanswered, 0, __ATOMIC_RELAXED);
}

void push_slow_call(const ThreadRecord& record, const WaitSite& site, Function function,
                    uint64_t call_site, uint64_t begin, uint64_t end) {
  contract::Event event;
  __builtin_memset(&event, 0, sizeof event);
  event.kind = static_cast<uint32_t>(contract::EventKind::kSlowCall);
  event.record = static_cast<uint32_t>(&record - segment->threads);
  event.generation = record.generation.load(std::memory_order_relaxed);
  event.pid = record.pid.load(std::memory_order_relaxed);
  event.tid = record.tid.load(std::memory_order_relaxed);
  event.function = static_cast<uint32_t>(function);
  event.key = site.key.load(std::memory_order_relaxed);
  event.call_site = call_site;
  event.iteration = site.iterations.load(std::memory_order_relaxed) + 1;
  event.begin_tick = begin;
  event.end_tick = end;
  push_event(event);
}

}  // namespace

void publish_slow_call(ThreadRecord& record, Function function, uint64_t call_site,
                       uint64_t duration, const WaitSite* own_site) {
  const contract::Header& header = segment->header;
  const uint64_t slow = header.slow_call_ticks.load(std::memory_order_relaxed);
  const uint64_t patience = header.read_request_patience_ticks.load(std::memory_order_relaxed);
  const bool is_slow = slow != 0 && duration > slow;
  if (!is_slow && patience == 0) return;
  const WaitSite* site = iteration_in_progress(record, own_site);
  if (!site) return;
  const uint64_t entered = record.call.entered.load(std::memory_order_relaxed);
  if (is_slow) push_slow_call(record, *site, function, call_site, entered, entered + duration);
  if (patience == 0 || !may_request_read ||
      __atomic_load_n(&unanswered, __ATOMIC_RELAXED) >= contract::kMostUnansweredRequests) {
    return;
  }
  const contract::Call& call = record.call;
  if (never_blocks(intercept::facts_of(function), call)) return;
  if (was_requested_often(function, call_site, call.context.stack_pointer)) return;
  read_request(record, duration, patience);
}

void stop_read_requests() {
  may_request_read = false;
}

}  // namespace tailback
