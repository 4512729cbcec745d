#include "runtime/detectors/blocking_call_detector.h"

#include <utility>

#include "runtime/loops/idle_waits.h"
#include "runtime/loops/loop_model.h"
#include "runtime/segment/live_threads.h"

namespace tailback {

using contract::ReadRequest;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr Nanoseconds kReadRequestPatience = milliseconds(20);
constexpr Nanoseconds kInterval = microseconds(500);
constexpr Nanoseconds kStrictInterval = microseconds(200);

bool requests_reading(const contract::ThreadRecord& record) {
  return record.read_request.load(std::memory_order_acquire) ==
         static_cast<uint32_t>(ReadRequest::kRequested);
}

}  // namespace

std::optional<SiteView> loop_around(const CallView& call, uint64_t key,
                                    const std::vector<SiteView>& sites,
                                    const std::vector<SiteView>& loops) {
  const SiteView* found = nullptr;
  for (const SiteView& loop : loops) {
    const bool is_own_wait = loop.function == call.function && loop.call_site == call.call_site;
    const bool fits = key != 0 ? loop.key == key : loop.iteration_begin != 0 && !is_own_wait;
    if (fits && (!found || loop.stack_pointer > found->stack_pointer)) found = &loop;
  }
  if (!found || waits_at_sibling(*found, call, sites)) return std::nullopt;
  return *found;
}

BlockingCallDetector::BlockingCallDetector(DetectorInput& input, ThreadTable& threads,
                                           EventReader& events, StallBuilder& builder,
                                           const ObserverSettings& settings, Emit emit)
    : segment_(input.segment()),
      clock_(input.clock()),
      sampler_(input.sampler()),
      threads_(threads),
      events_(events),
      builder_(builder),
      emit_(std::move(emit)),
      settings_(settings.blocking_calls),
      threshold_(settings.threshold),
      threshold_ticks_(clock_.ticks(settings.threshold)),
      slow_ticks_(clock_.ticks(settings.blocking_calls.slow)) {}

Nanoseconds BlockingCallDetector::interval() const {
  return settings_.strict ? kStrictInterval : kInterval;
}

void BlockingCallDetector::start() {
  contract::Header& header = segment_.header;
  header.slow_call_ticks.store(slow_ticks_);
  if (!settings_.strict) return;
  header.short_call_ticks.store(0);
  header.read_request_patience_ticks.store(clock_.ticks(kReadRequestPatience));
}

void BlockingCallDetector::finish() {
  segment_.header.read_request_patience_ticks.store(0);
  segment_.header.slow_call_ticks.store(0);
}

void BlockingCallDetector::poll() {
  events_.read();
  for (const auto live : live_threads(segment_)) {
    if (!has_wait_sites(live.record)) continue;
    if (const WatchedThread* thread = threads_.watch(live.index)) poll_thread(*thread);
  }
}

void BlockingCallDetector::poll_thread(const WatchedThread& thread) {
  if (!requests_reading(*thread.record)) {
    if (slow_ticks_ > 0) sample_call(thread);
    return;
  }
  if (auto caught = take_read_request(thread)) {
    emit(BlockingCallKind::kMayBlock, thread, 0, std::move(*caught));
  }
}

std::optional<BlockingCallDetector::CaughtCall> BlockingCallDetector::take_read_request(
    const WatchedThread& thread) {
  contract::ThreadRecord& record = *thread.record;
  CaughtCall caught;
  caught.ticks = record.requested_call_ticks;
  if (const auto call = view_call(record.call)) {
    caught.begin_tick = call->entered;
    CallInProgress asked;
    asked.function = call->function;
    asked.arguments = call->arguments;
    if (sampler_.is_able_to_block(thread.pid, asked)) {
      caught.sample = sampler_.take_requested(thread.index, thread.pid, thread.tid);
    }
  }
  auto expected = static_cast<uint32_t>(ReadRequest::kRequested);
  const bool stood_still = record.read_request.compare_exchange_strong(
      expected, static_cast<uint32_t>(ReadRequest::kRead));
  if (!stood_still || !caught.sample) return std::nullopt;
  return caught;
}

void BlockingCallDetector::sample_call(const WatchedThread& thread) {
  const auto call = view_call(thread.record->call);
  if (!call) return;
  const uint64_t now = clock_.now();
  if (now < call->entered || now - call->entered < slow_ticks_ / 2) return;
  auto& waiting = waiting_[thread.index];
  if (waiting && waiting->recorded.same_call(*call)) return;
  auto sample = sampler_.take(thread.index, thread.pid, thread.tid);
  const bool waits = sample->state == 'S' || sample->state == 'D';
  if (waits && sample->source == Sample::Source::kRecord && sample->recorded.same_call(*call)) {
    waiting = std::move(sample);
  }
}

void BlockingCallDetector::on_event(const contract::Event& event) {
  if (event.kind != static_cast<uint32_t>(contract::EventKind::kSlowCall)) return;
  const contract::ThreadRecord& record = segment_.threads[event.record];
  if (record.generation.load(std::memory_order_acquire) != event.generation) return;
  // One that took longer than the threshold is a stall.
  if (clock_.duration(event.end_tick - event.begin_tick) > threshold_) return;
  const WatchedThread* thread = threads_.watch(event.record);
  CallView call;
  call.function = checked_function(event.function);
  call.call_site = event.call_site;
  if (!thread || !loop_around_call(*thread, call, event.key)) return;
  if (auto call_seen = caught(event)) {
    emit(BlockingCallKind::kWaited, *thread, event.key, std::move(*call_seen));
  }
}

std::optional<BlockingCallDetector::CaughtCall> BlockingCallDetector::caught(
    const contract::Event& event) {
  CallView call;
  call.function = checked_function(event.function);
  call.entered = event.begin_tick;
  const auto waiting = waiting_.find(event.record);
  if (waiting == waiting_.end() || !waiting->second || !waiting->second->recorded.same_call(call)) {
    ++unseen_;
    return std::nullopt;
  }
  CaughtCall caught{std::move(waiting->second), event.begin_tick,
                    event.end_tick - event.begin_tick};
  waiting_.erase(waiting);
  return caught;
}

std::optional<SiteView> BlockingCallDetector::loop_around_call(const WatchedThread& thread,
                                                               const CallView& call,
                                                               uint64_t key) const {
  const std::vector<SiteView> sites = view_sites(*thread.record);
  return loop_around(call, key, sites,
                     loops_among(thread.choice(), sites, *thread.record, threshold_ticks_));
}

void BlockingCallDetector::emit(BlockingCallKind kind, const WatchedThread& thread, uint64_t key,
                                CaughtCall caught) {
  const auto loop = loop_around_call(thread, caught.sample->recorded, key);
  if (!loop) return;
  const Nanoseconds duration = clock_.duration(caught.ticks);
  StallSeen call = builder_.build(thread, *loop, caught.begin_tick, duration, nullptr);
  call.sharing = sharing_of(segment_, *thread.record, caught.begin_tick);
  call.contributors.clear();
  call.limits.clear();
  call.samples.push_back({std::move(caught.sample), duration});
  emit_(BlockingCallSeen{kind, std::move(call)});
}

}  // namespace tailback
