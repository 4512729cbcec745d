// What an observer and a replay of its recording have in common.
#pragma once

#include "runtime/detectors/contention_profiler.h"
#include "runtime/detectors/observation.h"

namespace tailback {

// The threads that detectors run on, as a recording names them.
inline constexpr char kSessionLane[] = "session";
inline constexpr char kLockOrderLane[] = "lock_order";
inline constexpr char kContentionLane[] = "contention";

// Emits the locks that threads waited for, the most contended ones.
inline void emit_contention(ContentionProfiler& profiler, const Emit& emit) {
  constexpr size_t kMostLocks = 1000;  // the others are counted
  std::vector<Contention> locks = profiler.locks();
  if (locks.size() > kMostLocks) locks.resize(kMostLocks);
  for (Contention& lock : locks) emit(ContentionSeen{std::move(lock)});
}

}  // namespace tailback
