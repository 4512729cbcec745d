// Finds blocking calls: calls on loop threads that wait for a while though no iteration gets too
// long, and, in strict mode, each one that may block.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "instrument/contract/record_contract.h"
#include "runtime/detectors/detector.h"
#include "runtime/detectors/event_reader.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/settings.h"
#include "runtime/detectors/stall_builder.h"
#include "runtime/detectors/thread_table.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/sample.h"

namespace tailback {

// The loop in whose iteration a call lies: that of the key, or the outermost one in an iteration if
// it is 0. Nothing if there is none, or the call is a wait at a sibling of that loop's wait site.
// `loops` are those of `sites`, all of the thread's, at which it runs a loop.
std::optional<SiteView> loop_around(const CallView& call, uint64_t key,
                                    const std::vector<SiteView>& sites,
                                    const std::vector<SiteView>& loops);

class BlockingCallDetector final : public Detector {
 public:
  BlockingCallDetector(DetectorInput& input, ThreadTable& threads, EventReader& events,
                       StallBuilder& builder, const ObserverSettings& settings, Emit emit);

  // Says to recorders which calls matter.
  void start();

  Nanoseconds interval() const override;
  void poll() override;
  void on_event(const contract::Event& event) override;
  // Says to recorders that none matters any more.
  void finish() override;

  // Slow calls that were not seen to wait, and requests that nobody answered.
  uint64_t unseen() const { return unseen_ + segment_.header.read_requests_missed.load(); }

 private:
  // A call that was read where it stood.
  struct CaughtCall {
    std::shared_ptr<const Sample> sample;
    uint64_t begin_tick = 0;
    uint64_t ticks = 0;  // how long it took
  };

  void poll_thread(const WatchedThread& thread);
  // Reads the call that a thread requests to be read, if that may block.
  std::optional<CaughtCall> take_read_request(const WatchedThread& thread);
  // Reads the call that a thread waits in, if that begins to take long.
  void sample_call(const WatchedThread& thread);
  // A slow call has ended. Nothing if it was not seen to wait.
  std::optional<CaughtCall> caught(const contract::Event& event);
  std::optional<SiteView> loop_around_call(const WatchedThread& thread, const CallView& call,
                                           uint64_t key) const;
  void emit(BlockingCallKind kind, const WatchedThread& thread, uint64_t key, CaughtCall caught);

  contract::Segment& segment_;
  Clock& clock_;
  ThreadSampler& sampler_;
  ThreadTable& threads_;
  EventReader& events_;
  StallBuilder& builder_;
  Emit emit_;
  BlockingCallSettings settings_;
  Nanoseconds threshold_;
  uint64_t threshold_ticks_;
  uint64_t slow_ticks_;
  std::map<uint32_t, std::shared_ptr<const Sample>> waiting_;  // by record: the last that was read
  uint64_t unseen_ = 0;
};

}  // namespace tailback
