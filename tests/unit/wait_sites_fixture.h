// Waits and calls as the recorder's interceptors make them, on a thread record of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "instrument/contract/histogram.h"
#include "instrument/recorder/wait_sites.h"
#include "runtime/segment/segment_ring.h"
#include "tests/unit/private_recorder.h"

namespace tailback {

using contract::Contributor;
using contract::Event;
using contract::EventKind;
using contract::WaitSite;

constexpr uint64_t kThreshold = 100;
constexpr uint64_t kCallSite = 0x1000;

// A wait for events, as event_waits.cc has it, that lasts so many ticks and returns so many events.
__attribute__((noinline)) inline void wait_at(uint64_t key, uint64_t ticks_in_wait, int ready = 1,
                                              Function function = Function::epoll_wait,
                                              uint64_t call_site = kCallSite) {
  CallScope scope(call_site, function, 5);
  IterationBoundary boundary;
  boundary.enter(scope, function, key, call_site);
  advance_ticks(ticks_in_wait);
  boundary.leave(scope, ready);
}

// A recorded call.
__attribute__((noinline)) inline void call(Function function, uint64_t call_site, uint64_t length) {
  CallScope scope(call_site, function, 3);
  advance_ticks(length);
}

class WaitSitesTest : public ::testing::Test {
 protected:
  WaitSitesTest() {
    set_ticks(1000);
    segment_->header.threshold_ticks.store(kThreshold);
  }

  // The site of a key, or nullptr.
  const WaitSite* site(uint64_t key) const {
    for (const WaitSite& place : segment_.record().wait_sites) {
      if (place.key.load() == key) return &place;
    }
    return nullptr;
  }
  uint64_t iterations(uint64_t key) const {
    const WaitSite* place = site(key);
    return place ? place->iterations.load() : 0;
  }
  std::vector<Event> events() {
    std::vector<Event> all;
    while (auto event = ring_.next()) all.push_back(*event);
    return all;
  }
  std::vector<Contributor> contributors_of(const Event& event) const {
    std::vector<Contributor> all;
    for (const Contributor& entry : event.contributors) {
      if (entry.count != 0) all.push_back(entry);
    }
    return all;
  }

  PrivateSegment segment_;
  SegmentRing ring_{*segment_};
};

}  // namespace tailback
