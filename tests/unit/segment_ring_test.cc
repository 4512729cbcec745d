// The ring of events: the recorder's end and the observer's end together.
#include "runtime/segment/segment_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include "instrument/recorder/ring.h"
#include "tests/unit/private_recorder.h"

namespace tailback {
namespace {

using contract::Event;
using contract::kRingCapacity;

Event event_of(uint32_t producer, uint64_t number) {
  Event event{};
  event.kind = static_cast<uint32_t>(contract::EventKind::kIteration);
  event.record = producer;
  event.iteration = number;
  event.begin_tick = number * 3;
  event.end_tick = ~number;
  event.contributors[contract::kContributors - 1].longest_ticks = number ^ 0x5555;
  return event;
}

// Whether all of an event is of one piece: nothing of another producer's got mixed in.
bool is_whole(const Event& event) {
  return event.begin_tick == event.iteration * 3 && event.end_tick == ~event.iteration &&
         event.contributors[contract::kContributors - 1].longest_ticks ==
             (event.iteration ^ 0x5555);
}

class SegmentRingTest : public ::testing::Test {
 protected:
  uint64_t dropped() const { return segment_->header.ring_dropped.load(); }
  void push(uint64_t from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) push_event(event_of(0, from + i));
  }
  // All that can be had now.
  std::vector<uint64_t> drain() {
    std::vector<uint64_t> numbers;
    while (const auto event = ring_.next()) {
      EXPECT_TRUE(is_whole(*event));
      numbers.push_back(event->iteration);
    }
    return numbers;
  }
  // What comes within so many looks.
  std::vector<uint64_t> look(unsigned times) {
    std::vector<uint64_t> numbers;
    for (unsigned i = 0; i < times; ++i) {
      for (const uint64_t number : drain()) numbers.push_back(number);
    }
    return numbers;
  }
  // Claims a slot the way push_event does, and goes no further.
  uint64_t die_inside_a_slot() { return segment_->header.ring_head.fetch_add(1); }

  PrivateSegment segment_;
  SegmentRing ring_{*segment_};
};

std::vector<uint64_t> numbers(uint64_t from, uint64_t count) {
  std::vector<uint64_t> all;
  for (uint64_t i = 0; i < count; ++i) all.push_back(from + i);
  return all;
}

TEST_F(SegmentRingTest, Empty_Nothing) {
  EXPECT_TRUE(look(3 * SegmentRing::kPatience).empty());
  EXPECT_EQ(ring_.stepped_over(), 0u);
  EXPECT_EQ(dropped(), 0u);
}

TEST_F(SegmentRingTest, ManyLaps_InOrder) {
  for (uint64_t i = 0; i < 5 * kRingCapacity; i += 3) {
    push(i, 3);
    EXPECT_EQ(drain(), numbers(i, 3));
  }
  EXPECT_EQ(dropped(), 0u);
  EXPECT_EQ(ring_.stepped_over(), 0u);
}

TEST_F(SegmentRingTest, Full_DroppedCounted) {
  push(0, kRingCapacity);
  EXPECT_EQ(dropped(), 0u);
  push(kRingCapacity, 5);
  EXPECT_EQ(dropped(), 5u);
  EXPECT_EQ(drain(), numbers(0, kRingCapacity));
  push(9000, 2);
  EXPECT_EQ(drain(), numbers(9000, 2));
  EXPECT_EQ(dropped(), 5u);
}

TEST_F(SegmentRingTest, OneFreeSlot_OneEvent) {
  push(0, kRingCapacity);
  ASSERT_TRUE(ring_.next());
  push(5000, 2);
  EXPECT_EQ(dropped(), 1u);
  const std::vector<uint64_t> rest = drain();
  ASSERT_EQ(rest.size(), kRingCapacity);
  EXPECT_EQ(rest.front(), 1u);
  EXPECT_EQ(rest.back(), 5000u);
}

TEST_F(SegmentRingTest, ManyThreads_NothingLost) {
  constexpr uint32_t kThreads = 8;
  constexpr uint64_t kEach = kRingCapacity / kThreads;
  for (int lap = 0; lap < 10; ++lap) {
    std::vector<std::thread> threads;
    for (uint32_t producer = 0; producer < kThreads; ++producer) {
      threads.emplace_back([producer] {
        for (uint64_t i = 0; i < kEach; ++i) push_event(event_of(producer, i));
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<uint64_t> expected(kThreads, 0);
    uint64_t count = 0;
    while (const auto event = ring_.next()) {
      ASSERT_TRUE(is_whole(*event));
      ASSERT_LT(event->record, kThreads);
      EXPECT_EQ(event->iteration, expected[event->record]++);  // each producer's own order is kept
      ++count;
    }
    EXPECT_EQ(count, kThreads * kEach);
  }
  EXPECT_EQ(dropped(), 0u);
}

TEST_F(SegmentRingTest, ConcurrentReader_AllAccountedFor) {
  constexpr uint32_t kThreads = 4;
  constexpr uint64_t kEach = 20000;
  std::atomic<uint32_t> finished{0};
  std::vector<std::thread> threads;
  for (uint32_t producer = 0; producer < kThreads; ++producer) {
    threads.emplace_back([producer, &finished] {
      for (uint64_t i = 0; i < kEach; ++i) push_event(event_of(producer, i));
      finished.fetch_add(1);
    });
  }
  std::vector<uint64_t> last(kThreads, UINT64_MAX);
  uint64_t received = 0;
  bool all_finished = false;
  for (;;) {
    if (const auto event = ring_.next()) {
      ++received;
      EXPECT_TRUE(is_whole(*event));
      ASSERT_LT(event->record, kThreads);
      uint64_t& before = last[event->record];
      EXPECT_TRUE(before == UINT64_MAX || event->iteration > before);
      before = event->iteration;
      continue;
    }
    if (all_finished) break;
    all_finished = finished.load() == kThreads;
    // Much less patience than this has the observer: a producer that lost its CPU is waited for.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(received + dropped(), kThreads * kEach);
  EXPECT_GE(received, kRingCapacity);
  EXPECT_EQ(ring_.stepped_over(), 0u);
}

TEST_F(SegmentRingTest, ProducerDiesInSlot_SkippedOver) {
  push(0, 3);
  die_inside_a_slot();
  push(3, 4);
  EXPECT_EQ(drain(), numbers(0, 3));
  EXPECT_TRUE(look(SegmentRing::kPatience - 2).empty());
  EXPECT_EQ(ring_.stepped_over(), 0u);
  EXPECT_EQ(look(2), numbers(3, 4));
  EXPECT_EQ(ring_.stepped_over(), 1u);
}

TEST_F(SegmentRingTest, SlowProducer_WaitedFor) {
  push(0, 1);
  const uint64_t position = die_inside_a_slot();
  push(2, 1);
  EXPECT_EQ(drain(), numbers(0, 1));
  EXPECT_TRUE(look(SegmentRing::kPatience / 2).empty());
  segment_->ring[position].event = event_of(0, 1);
  segment_->ring[position].sequence.store(1);
  EXPECT_EQ(drain(), numbers(1, 2));
  EXPECT_EQ(ring_.stepped_over(), 0u);
}

TEST_F(SegmentRingTest, FullLapOfDeadProducers_SkippedOver) {
  for (uint32_t i = 0; i < kRingCapacity; ++i) die_inside_a_slot();
  push(0, 1);
  EXPECT_EQ(dropped(), 1u);
  EXPECT_TRUE(look(kRingCapacity * SegmentRing::kPatience).empty());
  EXPECT_EQ(ring_.stepped_over(), kRingCapacity);
  push(7, 3);
  EXPECT_EQ(drain(), numbers(7, 3));
}

// A process that was stopped inside a slot, taken for dead, and goes on a lap later: it may cost an
// event, not the ring.
TEST_F(SegmentRingTest, LateProducer_RingGoesOn) {
  for (const uint64_t laps_later : {uint64_t{0}, uint64_t{1}, uint64_t{2}}) {
    SCOPED_TRACE(laps_later);
    const uint64_t position = die_inside_a_slot();
    contract::RingSlot& slot = segment_->ring[position % kRingCapacity];
    const uint64_t filled = slot.sequence.load() + 1;
    look(SegmentRing::kPatience + 1);
    const uint64_t lost_before = dropped() + ring_.stepped_over();
    for (uint64_t i = 0; i < laps_later * kRingCapacity; ++i) {
      push(i, 1);
      drain();
    }
    slot.event = event_of(0, 1);
    slot.sequence.store(filled);
    // Whatever is lost on the way is counted, and after a while nothing is.
    uint64_t received = 0;
    uint64_t pushed = 0;
    for (uint64_t i = 0; i < 2 * kRingCapacity; ++i) {
      push(i, 1);
      ++pushed;
      received += look(SegmentRing::kPatience + 1).size();
    }
    EXPECT_GE(received + 2, pushed);
    EXPECT_GE(dropped() + ring_.stepped_over() - lost_before, pushed - received);
    push(500, 4);
    EXPECT_EQ(drain(), numbers(500, 4));
  }
}

TEST_F(SegmentRingTest, AbsurdHead_NotFollowed) {
  push(0, 2);
  EXPECT_EQ(drain().size(), 2u);
  constexpr int kKinds = 6;
  for (int kind = 0; kind < kKinds; ++kind) {
    const uint64_t tail = segment_->header.ring_tail.load();
    const uint64_t heads[kKinds] = {UINT64_MAX,        UINT64_MAX - kRingCapacity,
                                    uint64_t{1} << 40, tail + kRingCapacity + 1,
                                    tail - 1,          0};
    const uint64_t head = heads[kind];
    SCOPED_TRACE(head);
    segment_->header.ring_head.store(head);
    const uint64_t lost_before = dropped() + ring_.stepped_over();
    EXPECT_TRUE(look(3).empty());
    push(0, 1);  // must come back
    look(2 * SegmentRing::kPatience);
    EXPECT_GT(dropped() + ring_.stepped_over(), lost_before);  // it is said that there was a loss
    push(40, 3);
    EXPECT_EQ(drain(), numbers(40, 3));
  }
}

TEST_F(SegmentRingTest, TailOverwritten_NotBelieved) {
  segment_->header.ring_tail.store(UINT64_MAX);
  push(0, 2);
  EXPECT_EQ(drain(), numbers(0, 2));
  EXPECT_EQ(segment_->header.ring_tail.load(), 2u);
}

TEST_F(SegmentRingTest, AbsurdSequence_ReadGoesOn) {
  for (contract::RingSlot& slot : segment_->ring) slot.sequence.store(0x1234567890abcdef);
  segment_->header.ring_head.store(kRingCapacity);
  const uint64_t marks = look(kRingCapacity * SegmentRing::kPatience).size();
  EXPECT_EQ(marks, 0u);
  EXPECT_EQ(ring_.stepped_over(), kRingCapacity);
  push(3, 3);
  EXPECT_EQ(drain(), numbers(3, 3));
}

}  // namespace
}  // namespace tailback
