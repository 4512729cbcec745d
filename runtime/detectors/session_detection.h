// The detectors that follow the threads of a session, and what they share, put together. All of
// them are polled by one thread.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/detectors/observation.h"
#include "runtime/detectors/settings.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/values/session.h"

namespace tailback {

class SessionDetection {
 public:
  // `emit` is called on the detectors' thread.
  SessionDetection(DetectorInput& input, const ObserverSettings& settings, Verdicts& verdicts,
                   const Emit& emit);
  ~SessionDetection();

  // Publishes the threshold and starts the thread.
  void start();
  // Reads what is left, ends every stall that is still open, stops the thread.
  void stop();

  // Takes what analysis has found out since; after stop() or finish(), once all is analyzed and
  // before summary().
  void settle();

  // The same without a thread, for a recording that is played back and for tests: begin(), then
  // poll() as often as time goes on, then finish().
  void begin();
  void poll();
  void finish();

  // Has a StatusSeen emitted soon. Safe from any thread.
  void ask_for_status();

  // Processes of the session that live, and that were ever seen. Safe from any thread.
  size_t live_processes() const;
  uint64_t seen_processes() const;

  // What the end record says of detection's part. After stop().
  SessionEnd summary() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tailback
