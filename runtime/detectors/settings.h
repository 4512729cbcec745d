// What an observer looks for. A plain value.
#pragma once

#include <chrono>
#include <string>

#include "instrument/contract/lock_contract.h"
#include "runtime/explain/culprit.h"
#include "runtime/loops/loop_choice.h"
#include "runtime/values/stall.h"

namespace tailback {

// The text of ThreadSanitizer's reports, for programs that hand them over by no other way.
struct SanitizerText {
  std::string log_path;  // as in its option; empty: it is not read
  bool is_ours = false;  // the program's own output would have it: it is passed on to our standard
                         // error
};

struct BlockingCallSettings {
  Nanoseconds slow{};   // calls that wait for longer; 0: none
  bool strict = false;  // calls that may block
  bool any() const { return slow > Nanoseconds::zero() || strict; }
};

struct ObserverSettings {
  Nanoseconds threshold = std::chrono::milliseconds(100);
  BlockingCallSettings blocking_calls{};
  CulpritRule culprits{};
  LoopGlobs loops{};        // which threads are loops or none, by their names
  bool lock_order = false;  // have the order told in which locks are taken
  bool locks = false;       // have waits for locks summed up
  SanitizerText sanitizer_text{};
  std::string record_observations{};  // file that gets all that detectors read; empty: none
};

// What recorders have to keep of locks. Of readers and of who took a semaphore nobody else knows.
inline uint32_t tracked_locks(const ObserverSettings& settings) {
  uint32_t kept = contract::kTrackReaders | contract::kTrackSemaphores;
  if (settings.lock_order) kept |= contract::kTrackOwners | contract::kTrackOrder;
  if (settings.locks) kept |= contract::kTrackContention;
  return kept;
}

}  // namespace tailback
