// What is known of the wait sites of threads once their long iterations were judged. For the
// session's statistics, so that they say the same as the reports. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <map>

#include "runtime/detectors/watched_thread.h"
#include "runtime/loops/counted_lengths.h"

namespace tailback {

struct JudgedSite {
  CountedLengths lengths;
  bool has_been_loop = false;
  bool has_been_none = false;

  // A long iteration was a loop's, or that of a thread which runs no loop. What has once been a
  // loop's stays one.
  void judge(bool is_loop) { (is_loop ? has_been_loop : has_been_none) = true; }
  bool is_no_loop() const { return has_been_none && !has_been_loop; }
};

class JudgedSites {
 public:
  // An iteration over the threshold that the recorder has counted, and how much of it counts.
  void count(const WatchedThread& thread, uint64_t key, uint64_t recorded, uint64_t counted) {
    if (JudgedSite* site = find_or_add(thread, key)) site->lengths.add(recorded, counted);
  }
  void judge(const WatchedThread& thread, uint64_t key, bool is_loop) {
    if (JudgedSite* site = find_or_add(thread, key)) site->judge(is_loop);
  }

  // nullptr if there was no long iteration.
  const JudgedSite* find(const WatchedThread& thread, uint64_t key) const {
    return const_cast<JudgedSites*>(this)->find(thread.index, thread.generation, key);
  }
  JudgedSite* find(uint32_t record, uint32_t generation, uint64_t key) {
    Sites* const sites = threads_.find(record, generation);
    if (!sites) return nullptr;
    const auto found = sites->find(key);
    return found == sites->end() ? nullptr : &found->second;
  }
  bool is_no_loop(const WatchedThread& thread, uint64_t key) const {
    const JudgedSite* const site = find(thread, key);
    return site && site->is_no_loop();
  }

  void forget(const WatchedThread& thread) { threads_.erase(thread); }

 private:
  using Sites = std::map<uint64_t, JudgedSite>;  // by key

  // A target can make up keys without end.
  JudgedSite* find_or_add(const WatchedThread& thread, uint64_t key) {
    constexpr size_t kMostSites = 64;
    Sites& sites = threads_.of(thread);
    if (sites.size() >= kMostSites && !sites.contains(key)) return nullptr;
    return &sites[key];
  }

  PerThread<Sites> threads_;
};

}  // namespace tailback
