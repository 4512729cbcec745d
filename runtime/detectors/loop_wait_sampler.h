// Reads now and then where the threads of loops stand while they wait for events.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <utility>

#include "runtime/detectors/observation.h"
#include "runtime/detectors/watched_thread.h"
#include "runtime/loops/loop_wait.h"
#include "runtime/loops/workers.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

class LoopWaitSampler {
 public:
  LoopWaitSampler(DetectorInput& input, uint64_t threshold_ticks, Emit emit)
      : input_(input),
        clock_(input.clock()),
        threshold_ticks_(threshold_ticks),
        emit_(std::move(emit)) {}

  // A poll reads only so many.
  void begin_poll();
  // Reads a thread that waits at this site, if that is due.
  void poll(const WatchedThread& thread, unsigned place, const SiteView& site);
  // What the thread was last seen to wait for at this site.
  PollPurpose purpose(const WatchedThread& thread, unsigned place, const SiteView& site) const;
  void forget(const WatchedThread& thread) { known_.erase(thread); }

 private:
  struct KnownWait {
    LoopWait place;
    uint64_t read = 0;                      // tick; 0: never
    uint64_t seen_iterations = UINT64_MAX;  // when it was last seen to wait
    unsigned interpreted = 0;               // how often what interpreters run there was read
    PollPurpose purpose = PollPurpose::kEvents;
    bool purpose_was_read = false;
  };
  bool is_due(KnownWait& known, const LoopWait& wait, uint64_t now) const;
  void sample(const WatchedThread& thread, KnownWait& known, const LoopWait& wait,
              const CallView& call, uint64_t now);

  // False if the thread is no longer in the call.
  bool read_purpose(const WatchedThread& thread, KnownWait& known, uint64_t key,
                    const CallView& call, const Snapshot& snapshot);

  DetectorInput& input_;
  const Clock& clock_;
  uint64_t threshold_ticks_;
  Emit emit_;
  // By process and wait key: one thread that sleeps there speaks for all.
  std::set<std::pair<int, uint64_t>> interpreter_sleeps_;
  PerThread<std::array<KnownWait, contract::kWaitSites>> known_;
  unsigned left_ = 0;       // of this poll
  unsigned refreshed_ = 0;  // in this poll
};

}  // namespace tailback
