// What is known of the wait sites of threads once their long iterations were judged. For the
// session's statistics, so that they say the same as the reports. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <map>

#include "runtime/detectors/watched_thread.h"
#include "runtime/loops/counted_lengths.h"

namespace tailback {

class JudgedSites {
 public:
  // An iteration over the threshold that the recorder has counted, and how much of it counts.
  void count(const WatchedThread& thread, uint64_t key, uint64_t recorded, uint64_t counted) {
    if (Site* site = find_or_add(thread, key)) site->lengths.add(recorded, counted);
  }
  // A long iteration was a loop's, or that of a thread which runs no loop. What has once been a
  // loop's stays one.
  void judge(const WatchedThread& thread, uint64_t key, bool is_loop) {
    if (Site* site = find_or_add(thread, key)) {
      (is_loop ? site->has_been_loop : site->has_been_none) = true;
    }
  }

  // nullptr if there was no long iteration.
  const CountedLengths* lengths(const WatchedThread& thread, uint64_t key) const {
    const Site* const site = find(thread, key);
    return site ? &site->lengths : nullptr;
  }
  bool is_no_loop(const WatchedThread& thread, uint64_t key) const {
    const Site* const site = find(thread, key);
    return site && site->has_been_none && !site->has_been_loop;
  }

  void forget(const WatchedThread& thread) { threads_.erase(thread); }

 private:
  struct Site {
    CountedLengths lengths;
    bool has_been_loop = false;
    bool has_been_none = false;
  };
  using Sites = std::map<uint64_t, Site>;  // by key

  // A target can make up keys without end.
  Site* find_or_add(const WatchedThread& thread, uint64_t key) {
    constexpr size_t kMostSites = 64;
    Sites& sites = threads_.of(thread);
    if (sites.size() >= kMostSites && !sites.contains(key)) return nullptr;
    return &sites[key];
  }
  const Site* find(const WatchedThread& thread, uint64_t key) const {
    const Sites* const sites = threads_.find(thread);
    if (!sites) return nullptr;
    const auto found = sites->find(key);
    return found == sites->end() ? nullptr : &found->second;
  }

  PerThread<Sites> threads_;
};

}  // namespace tailback
