// One kind of thing that an observer looks for. A detector reads the segment and the kernel and
// emits observations; it never waits for a disk or a terminal.
#pragma once

#include "instrument/contract/record_contract.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/detectors/watched_thread.h"
#include "runtime/values/stall.h"

namespace tailback {

// Why a thread is watched no longer.
enum class Ending {
  kThread,   // it has ended
  kProcess,  // its process has
  kSession,  // the observer ends
};

class Detector {
 public:
  virtual ~Detector() = default;

  // How long after a poll the next is due.
  virtual Nanoseconds interval() const = 0;
  virtual void poll() = 0;

  // An event of the segment's ring that makes sense, of any kind.
  virtual void on_event(const contract::Event&) {}
  // What analysis has found out.
  virtual void on_verdict(const AnalysisVerdict&) {}
  // A thread is watched no longer. Its record is still its own, and all its events have come.
  virtual void on_thread_end(const WatchedThread&, Ending) {}
  // After the last poll, event and thread.
  virtual void finish() {}
};

}  // namespace tailback
