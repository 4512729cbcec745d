// In which order the threads of one process take locks, and the cycles in it: a pure function of
// the acquisitions, that tests can replay.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "instrument/contract/lock_contract.h"
#include "runtime/unwind/unwinder.h"

namespace tailback {

struct LockId {
  uint64_t address = 0;
  uint32_t generation = 0;  // of the locks that were at that address over time

  auto operator<=>(const LockId&) const = default;
};

struct LockUse {
  LockId lock;
  contract::HeldKind kind = contract::HeldKind::kMutex;
  uint64_t call_site = 0;
  uint64_t origin = 0;  // where the lock was initialised; 0: unknown
};

// A lock was taken while others were held.
struct Acquisition {
  int tid = 0;
  std::string thread{};  // its comm, if it was read
  uint64_t tick = 0;
  LockUse taken;
  std::vector<LockUse> held;
  std::shared_ptr<const RawStack> stack;  // or nullptr
};

// One step of a cycle: what the acquisition took is what that of the next step held.
struct CycleStep {
  std::shared_ptr<const Acquisition> acquisition;
  LockUse held;
};
using Cycle = std::vector<CycleStep>;

class LockGraph {
 public:
  static constexpr size_t kLongestCycle = 12;
  static constexpr size_t kMostLocks = 200000;
  static constexpr size_t kMostOrders = 400000;
  static constexpr size_t kOccurrences = 8;     // of one order, by threads and what else they held
  static constexpr size_t kMostVisits = 20000;  // of orders, in one search

  // Takes note of an acquisition. Returns the cycles that it closes, one per held lock at most, and
  // only such as can deadlock: every step was taken by a thread of its own, which can be in it at
  // the same time (no two hold a lock in common but for reading), with no lock in it that is only
  // read.
  std::vector<Cycle> add(std::shared_ptr<const Acquisition> acquisition);

  // From now on a lock is nobody's: threads release it that have not taken it.
  void exclude(uint64_t address);

  size_t locks() const { return nodes_.size(); }
  // Acquisitions that found the graph full, and searches that were given up.
  uint64_t left_out() const { return left_out_; }

 private:
  struct Order {
    std::vector<CycleStep> occurrences;
  };
  using Orders = std::map<LockId, Order>;  // by what was taken
  struct Search;

  bool note(const CycleStep& step);
  std::optional<Cycle> find_cycle(const CycleStep& closing);
  bool leads_back(const LockId& from, const LockId& to, std::set<LockId>& reached);
  bool extend(Search& search);
  // The order of two locks; nullptr if there is no room for one more.
  Order* order_of(const LockId& held, const LockId& taken);
  void forget_older(const LockId& lock);
  std::map<LockId, Orders>::iterator forget(std::map<LockId, Orders>::iterator node);

  std::map<LockId, Orders> nodes_;
  size_t orders_ = 0;
  std::set<uint64_t> excluded_;
  uint64_t left_out_ = 0;
};

}  // namespace tailback
