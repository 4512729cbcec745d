#include "runtime/detectors/condition_loop_detector.h"

#include <algorithm>
#include <utility>

#include "runtime/loops/condition_loops.h"
#include "runtime/loops/idle_waits.h"

namespace tailback {

void ConditionLoopDetector::poll() {
  constexpr unsigned kMostAsked = 8;
  constexpr unsigned kLongestPause = 64;
  for (const WatchedThread* thread : threads_.live()) {
    if (thread->tid != thread->pid || thread->choice() != LoopChoice::kByBehaviour) continue;
    const auto call = view_call(thread->record->call);
    if (!call || !may_be_idle_wait(*call)) continue;
    Asked& asked = asked_.of(*thread);
    if (asked.count >= kMostAsked || ++asked.polls < asked.pause) continue;
    asked.polls = 0;
    asked.pause = std::min(2 * asked.pause, kLongestPause);
    const auto modules = input_.sampler().modules(thread->pid, RemoteAddress(call->call_site));
    if (!modules || !may_have_condition_loop(*modules)) continue;
    ++asked.count;
    ConditionWaitSeen seen;
    seen.sample = builder_.sample(*thread);
    if (!seen.sample->snapshot || !seen.sample->recorded.same_call(*call)) continue;
    seen.pid = thread->pid;
    seen.loop = {thread->index, thread->generation};
    emit_(std::move(seen));
  }
}

void ConditionLoopDetector::on_verdict(const AnalysisVerdict& verdict) {
  if (const auto* loop = std::get_if<ConditionLoop>(&verdict)) {
    threads_.take_for_loop(loop->record, loop->generation);
  }
}

}  // namespace tailback
