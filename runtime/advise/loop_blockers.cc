#include "runtime/advise/loop_blockers.h"

#include <algorithm>

namespace tailback {
namespace {

constexpr size_t kMostCulprits = 4096;

enum class Kind { kCall, kComputing, kNeither };

// Want of a CPU and what stops a program from outside are no trouble of the loop's own.
Kind kind_of(const Stall& stall) {
  switch (stall.cause) {
    case Cause::kMany:
      return stall.spent.blocked > stall.spent.on_cpu ? Kind::kCall : Kind::kComputing;
    case Cause::kCpu:
    case Cause::kGil:
      return Kind::kComputing;
    case Cause::kRunQueueWait:
    case Cause::kThrottled:
    case Cause::kStopped:
    case Cause::kSuspended:
    case Cause::kPageFault:
    case Cause::kUnknown:
      return Kind::kNeither;
    default:
      return Kind::kCall;
  }
}

}  // namespace

void LoopBlockers::add(const Stall& stall) {
  const Kind kind = kind_of(stall);
  if (kind == Kind::kNeither) return;
  Troubles& troubles = kind == Kind::kCall ? blocked_ : computing_;
  if (troubles.size() >= kMostCulprits && !troubles.contains(stall.fingerprint)) return;
  LoopTrouble& trouble = troubles[stall.fingerprint];
  trouble.cause = stall.cause;
  if (kind == Kind::kCall && stall.call) trouble.call = stall.call->function;
  if (stall.cause == Cause::kMany && !stall.contributors.empty()) {
    trouble.call = stall.contributors.front().function;
  }
  if (stall.culprit < stall.stack.size()) trouble.culprit = stall.stack[stall.culprit];
  ++trouble.stalls;
  trouble.total += stall.duration;
  trouble.longest = std::max(trouble.longest, stall.duration);
}

LoopTrouble LoopBlockers::worst(const Troubles& troubles) {
  const auto found = std::max_element(
      troubles.begin(), troubles.end(),
      [](const auto& a, const auto& b) { return a.second.total < b.second.total; });
  return found == troubles.end() ? LoopTrouble{} : found->second;
}

}  // namespace tailback
