#include "runtime/detectors/blocking_calls.h"

#include <utility>

namespace tailback {

using contract::ReadRequest;
using contract::ThreadRecord;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr Nanoseconds kReadRequestPatience = milliseconds(20);
constexpr Nanoseconds kInterval = microseconds(500);
constexpr Nanoseconds kStrictInterval = microseconds(200);

bool is_requested(const ThreadRecord& record) {
  return record.read_request.load(std::memory_order_acquire) ==
         static_cast<uint32_t>(ReadRequest::kRequested);
}

}  // namespace

Nanoseconds BlockingCallDetector::interval() const {
  return settings_.strict ? kStrictInterval : kInterval;
}

void BlockingCallDetector::start() {
  slow_ticks_ = clock_.ticks(settings_.slow);
  contract::Header& header = segment_.header;
  header.slow_call_ticks.store(slow_ticks_);
  if (!settings_.strict) return;
  header.short_call_ticks.store(0);
  header.read_request_patience_ticks.store(clock_.ticks(kReadRequestPatience));
}

void BlockingCallDetector::stop() {
  segment_.header.read_request_patience_ticks.store(0);
  segment_.header.slow_call_ticks.store(0);
}

std::optional<CaughtCall> BlockingCallDetector::look(uint32_t index, ThreadRecord& record, int pid,
                                                     int tid) {
  if (is_requested(record)) return take_read_request(index, record, pid, tid);
  if (slow_ticks_ > 0) sample_call(index, record, pid, tid);
  return std::nullopt;
}

std::optional<CaughtCall> BlockingCallDetector::take_read_request(uint32_t index,
                                                                  ThreadRecord& record, int pid,
                                                                  int tid) {
  CaughtCall caught;
  caught.ticks = record.requested_call_ticks;
  const auto call = view_call(record.call);
  CallInProgress asked;
  if (call) {
    caught.begin_tick = call->entered;
    asked.function = call->function;
    asked.arguments = call->arguments;
    if (sampler_.is_able_to_block(pid, asked)) {
      caught.sample = sampler_.take_requested(index, pid, tid);
    }
  }
  auto expected = static_cast<uint32_t>(ReadRequest::kRequested);
  const bool stood_still = record.read_request.compare_exchange_strong(
      expected, static_cast<uint32_t>(ReadRequest::kRead));
  if (!stood_still || !caught.sample) return std::nullopt;
  return caught;
}

void BlockingCallDetector::sample_call(uint32_t index, ThreadRecord& record, int pid, int tid) {
  const auto call = view_call(record.call);
  if (!call) return;
  const uint64_t now = clock_.now();
  if (now < call->entered || now - call->entered < slow_ticks_ / 2) return;
  auto& waiting = waiting_[index];
  if (waiting && waiting->recorded.same_call(*call)) return;
  auto sample = sampler_.take(index, pid, tid);
  const bool waits = sample->state == 'S' || sample->state == 'D';
  if (waits && sample->source == Sample::Source::kRecord && sample->recorded.same_call(*call)) {
    waiting = std::move(sample);
  }
}

std::optional<CaughtCall> BlockingCallDetector::ended(const contract::Event& event) {
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

}  // namespace tailback
