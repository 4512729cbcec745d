// The threads of a session's targets that live, by the order of their records. A record may change
// its owner at any time: who needs to know compares generations.
#pragma once

#include <cstdint>
#include <iterator>
#include <utility>

#include "instrument/contract/record_contract.h"
#include "runtime/segment/record_view.h"

namespace tailback {

inline contract::ThreadState thread_state(const contract::ThreadRecord& record) {
  return static_cast<contract::ThreadState>(record.state.load(std::memory_order_acquire));
}

// `Segment`: contract::Segment, const or not.
template <typename Segment>
class LiveThreads {
 public:
  struct Thread {
    uint32_t index = 0;
    decltype((std::declval<Segment&>().threads[0])) record;
  };

  class Iterator {
   public:
    Iterator(Segment& segment, uint32_t index, uint32_t end)
        : segment_(&segment), index_(index), end_(end) {
      skip();
    }
    Thread operator*() const { return {index_, segment_->threads[index_]}; }
    Iterator& operator++() {
      ++index_;
      skip();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return index_ == end_; }

   private:
    void skip() {
      while (index_ < end_ &&
             thread_state(segment_->threads[index_]) != contract::ThreadState::kLive) {
        ++index_;
      }
    }

    Segment* segment_;
    uint32_t index_;
    uint32_t end_;
  };

  explicit LiveThreads(Segment& segment) : segment_(segment), used_(threads_used(segment)) {}
  Iterator begin() const { return {segment_, 0, used_}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  Segment& segment_;
  uint32_t used_;
};

template <typename Segment>
LiveThreads<Segment> live_threads(Segment& segment) {
  return LiveThreads<Segment>(segment);
}

}  // namespace tailback
