// What an observer is told to look for. A plain value.
#pragma once

#include <chrono>

#include "instrument/contract/lock_contract.h"
#include "runtime/explain/culprit.h"
#include "runtime/watch/hazard_watch.h"
#include "runtime/watch/loop_choice.h"

namespace tailback {

struct ObserverSettings {
  Nanoseconds threshold = std::chrono::milliseconds(100);
  HazardSettings hazards{};
  CulpritRule culprits{};
  LoopGlobs loops{};        // which threads are loops or none, by their names
  bool lock_order = false;  // have the order told in which locks are taken
  bool locks = false;       // have waits for locks summed up
};

// What recorders have to keep of locks. Of readers and of who took a semaphore nobody else knows.
inline uint32_t kept_locks(const ObserverSettings& settings) {
  uint32_t kept = contract::kKeepReaders | contract::kKeepSemaphores;
  if (settings.lock_order) kept |= contract::kKeepOwners | contract::kKeepOrder;
  if (settings.locks) kept |= contract::kKeepContention;
  return kept;
}

}  // namespace tailback
