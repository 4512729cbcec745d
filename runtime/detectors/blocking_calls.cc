#include "runtime/detectors/blocking_calls.h"

#include <utility>

#include "runtime/explain/able_to_block.h"
#include "runtime/sampling/sampler.h"

namespace tailback {

using contract::Offer;
using contract::ThreadRecord;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr Nanoseconds kOfferPatience = milliseconds(20);
constexpr Nanoseconds kInterval = microseconds(500);
constexpr Nanoseconds kStrictInterval = microseconds(200);

bool is_offered(const ThreadRecord& record) {
  return record.offer.load(std::memory_order_acquire) == static_cast<uint32_t>(Offer::kOffered);
}

}  // namespace

Nanoseconds HazardWatch::interval() const {
  return settings_.strict ? kStrictInterval : kInterval;
}

void HazardWatch::start() {
  slow_ticks_ = clock_.ticks(settings_.slow);
  contract::Header& header = segment_.header;
  header.slow_call_ticks.store(slow_ticks_);
  if (!settings_.strict) return;
  header.short_call_ticks.store(0);
  header.offer_patience_ticks.store(clock_.ticks(kOfferPatience));
}

void HazardWatch::stop() {
  segment_.header.offer_patience_ticks.store(0);
  segment_.header.slow_call_ticks.store(0);
}

std::optional<CaughtCall> HazardWatch::look(uint32_t index, ThreadRecord& record, int pid,
                                            int tid) {
  if (is_offered(record)) return take_offer(index, record, pid, tid);
  if (slow_ticks_ > 0) look_at_call(index, record, pid, tid);
  return std::nullopt;
}

std::optional<CaughtCall> HazardWatch::take_offer(uint32_t index, ThreadRecord& record, int pid,
                                                  int tid) {
  CaughtCall caught;
  caught.ticks = record.offered_ticks;
  const auto call = view_call(record.call);
  CallInProgress asked;
  if (call) {
    caught.begin_tick = call->entered;
    asked.function = call->function;
    asked.arguments = call->arguments;
    if (is_able_to_block(pid, asked)) {
      caught.sample = take_offered(record, segment_.open_ended[index], process_of(record), pid, tid,
                                   processes_);
    }
  }
  auto expected = static_cast<uint32_t>(Offer::kOffered);
  const bool stood_still =
      record.offer.compare_exchange_strong(expected, static_cast<uint32_t>(Offer::kTaken));
  if (!stood_still || !caught.sample) return std::nullopt;
  return caught;
}

void HazardWatch::look_at_call(uint32_t index, ThreadRecord& record, int pid, int tid) {
  const auto call = view_call(record.call);
  if (!call) return;
  const uint64_t now = clock_.now();
  if (now < call->entered || now - call->entered < slow_ticks_ / 2) return;
  auto& waiting = waiting_[index];
  if (waiting && waiting->recorded.same_call(*call)) return;
  auto sample =
      take_sample(record, segment_.open_ended[index], process_of(record), pid, tid, processes_);
  const bool waits = sample->state == 'S' || sample->state == 'D';
  if (waits && sample->source == Sample::Source::kRecord && sample->recorded.same_call(*call)) {
    waiting = std::move(sample);
  }
}

std::optional<CaughtCall> HazardWatch::ended(const contract::Event& event) {
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
