// The watcher's part in blocking calls: quick looks between its others.
#include <utility>

#include "runtime/detectors/watcher.h"

namespace tailback {

using contract::ThreadRecord;
using contract::ThreadState;
using std::chrono::steady_clock;

void Watcher::poll_blocking_calls() {
  const auto due = steady_clock::now() + interval();
  do {
    std::this_thread::sleep_for(blocking_calls_.interval());
    input_.begin_poll();
    read_ring();
    const uint32_t used = threads_used(segment_);
    for (uint32_t index = 0; index < used; ++index) {
      ThreadRecord& record = segment_.threads[index];
      if (record.sites.load(std::memory_order_relaxed) == 0 ||
          record.state.load(std::memory_order_acquire) !=
              static_cast<uint32_t>(ThreadState::kLive)) {
        continue;
      }
      const WatchedThread* thread = watched(index, record);
      if (!thread) continue;
      if (auto caught = blocking_calls_.look(index, record, thread->pid, thread->tid)) {
        emit_blocking_call(BlockingCallKind::kMayBlock, index, 0, std::move(*caught));
      }
    }
  } while (steady_clock::now() < due && !stopping_.load());
}

std::optional<SiteView> Watcher::loop_around(const WatchedThread& thread,
                                             const ThreadRecord& record, const CallView& call,
                                             uint64_t key) const {
  const std::vector<SiteView> sites = view_sites(record);
  const SiteView* found = nullptr;
  const std::vector<SiteView> loops =
      loops_among(choice_of(thread, record), sites, record, threshold_ticks_);
  for (const SiteView& loop : loops) {
    const bool own = loop.function == call.function && loop.call_site == call.call_site;
    const bool fits = key != 0 ? loop.key == key : loop.iteration_begin != 0 && !own;
    if (fits && (!found || loop.stack_pointer > found->stack_pointer)) found = &loop;
  }
  if (!found || waits_at_sibling(*found, call, sites)) return std::nullopt;
  return *found;
}

void Watcher::on_slow_call(const contract::Event& event) {
  const ThreadRecord& record = segment_.threads[event.record];
  if (record.generation.load(std::memory_order_acquire) != event.generation) return;
  // One that took longer than the threshold is a stall.
  if (clock_.duration(event.end_tick - event.begin_tick) > threshold_) return;
  CallView call;
  call.function = checked_function(event.function);
  call.call_site = event.call_site;
  const WatchedThread* thread = watched(event.record, segment_.threads[event.record]);
  if (!thread || !loop_around(*thread, record, call, event.key)) return;
  if (auto caught = blocking_calls_.ended(event)) {
    emit_blocking_call(BlockingCallKind::kWaited, event.record, event.key, std::move(*caught));
  }
}

void Watcher::emit_blocking_call(BlockingCallKind kind, uint32_t index, uint64_t key,
                                 CaughtCall caught) {
  const ThreadRecord& record = segment_.threads[index];
  const WatchedThread* thread = watched(index, record);
  if (!thread) return;
  const auto loop = loop_around(*thread, record, caught.sample->recorded, key);
  if (!loop) return;
  const Nanoseconds duration = clock_.duration(caught.ticks);
  StallSeen observation = observe(*thread, *loop, caught.begin_tick, duration, nullptr);
  observation.contributors.clear();
  observation.notes.clear();
  observation.samples.push_back({std::move(caught.sample), duration});
  emit_(BlockingCallSeen{kind, std::move(observation)});
}

}  // namespace tailback
