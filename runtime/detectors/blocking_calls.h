// Finds blocking calls: calls on loop threads that wait for a while though no iteration gets too
// long, and, where it is asked for, each one that may block. For the watcher thread only.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "instrument/contract/record_contract.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/sample.h"

namespace tailback {

struct BlockingCallSettings {
  Nanoseconds slow{};   // calls that wait for longer; 0: none
  bool strict = false;  // calls that may block
  bool any() const { return slow > Nanoseconds::zero() || strict; }
};

// A call that was read where it stood.
struct CaughtCall {
  std::shared_ptr<const Sample> sample;
  uint64_t begin_tick = 0;
  uint64_t ticks = 0;  // how long it took
};

class BlockingCallDetector {
 public:
  BlockingCallDetector(DetectorInput& input, const BlockingCallSettings& settings)
      : segment_(input.segment()),
        clock_(input.clock()),
        sampler_(input.sampler()),
        settings_(settings) {}

  // Tells recorders what to say of calls, and to say no more.
  void start();
  void stop();

  bool is_on() const { return settings_.any(); }
  // How long after a look the next is due.
  Nanoseconds interval() const;

  // Looks at a thread that waits for events: reads the call that it waits in, if that begins to
  // take long. Returns one that it offers, if it may block.
  std::optional<CaughtCall> look(uint32_t index, contract::ThreadRecord& record, int pid, int tid);

  // A slow call has ended. Nothing if it was not seen to wait.
  std::optional<CaughtCall> ended(const contract::Event& event);

  // Slow calls that were not seen to wait, and offers that found nobody.
  uint64_t unseen() const { return unseen_ + segment_.header.read_requests_missed.load(); }

 private:
  std::optional<CaughtCall> take_read_request(uint32_t index, contract::ThreadRecord& record,
                                              int pid, int tid);
  void sample_call(uint32_t index, contract::ThreadRecord& record, int pid, int tid);

  contract::Segment& segment_;
  const Clock& clock_;
  ThreadSampler& sampler_;
  BlockingCallSettings settings_;
  uint64_t slow_ticks_ = 0;
  std::map<uint32_t, std::shared_ptr<const Sample>> waiting_;  // by record: the last that was read
  uint64_t unseen_ = 0;
};

}  // namespace tailback
