#include "runtime/locks/lock_graph.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace tailback {

using contract::HeldKind;

namespace {

bool is_read(const LockUse& use) {
  return use.kind == HeldKind::kRead;
}

// Whether two acquisitions can't be under way at the same time: one thread waits in one at a time;
// or they hold a lock in common, and not both for reading. That is a gate around both orders, or
// another lock of the cycle.
bool exclude_each_other(const Acquisition& a, const Acquisition& b) {
  if (a.tid == b.tid) return true;
  for (const LockUse& one : a.held) {
    for (const LockUse& other : b.held) {
      if (one.lock == other.lock && !(is_read(one) && is_read(other))) return true;
    }
  }
  return false;
}

// Whether `a` says all that `b` would: the same thread, in the same way, with no more held.
bool covers(const CycleStep& a, const CycleStep& b) {
  const Acquisition& known = *a.acquisition;
  const Acquisition& fresh = *b.acquisition;
  if (known.tid != fresh.tid || known.taken.kind != fresh.taken.kind || a.held.kind != b.held.kind)
    return false;
  return std::all_of(known.held.begin(), known.held.end(), [&](const LockUse& one) {
    return std::any_of(fresh.held.begin(), fresh.held.end(), [&](const LockUse& other) {
      return one.lock == other.lock && (one.kind == other.kind || is_read(one));
    });
  });
}

// Whether a thread that does `next` can keep one that does `before` waiting.
bool can_follow(const CycleStep& before, const CycleStep& next) {
  return !(is_read(before.acquisition->taken) && is_read(next.held));
}

}  // namespace

// A path of steps from the closing one, as far as it has come.
struct LockGraph::Search {
  Cycle path;
  const std::set<LockId>* reached = nullptr;  // locks that may lead back
  size_t visits = 0;
};

std::vector<Cycle> LockGraph::add(std::shared_ptr<const Acquisition> acquisition) {
  std::vector<Cycle> cycles;
  if (excluded_.contains(acquisition->taken.lock.address)) return cycles;
  for (const LockUse& held : acquisition->held) {
    if (excluded_.contains(held.lock.address) || held.lock == acquisition->taken.lock) continue;
    const CycleStep step{acquisition, held};
    if (!note(step)) continue;
    if (auto cycle = find_cycle(step)) cycles.push_back(std::move(*cycle));
  }
  return cycles;
}

std::map<LockId, LockGraph::Orders>::iterator LockGraph::forget(
    std::map<LockId, Orders>::iterator node) {
  orders_ -= node->second.size();
  return nodes_.erase(node);
}

// Of locks at one address the latest counts: what came before it is no more.
void LockGraph::forget_older(const LockId& lock) {
  auto it = nodes_.lower_bound({lock.address, 0});
  while (it != nodes_.end() && it->first < lock) it = forget(it);
}

LockGraph::Order* LockGraph::order_of(const LockId& held, const LockId& taken) {
  const bool has_both = nodes_.contains(held) && nodes_.contains(taken);
  if (!has_both) {
    if (nodes_.size() >= kMostLocks) return nullptr;
    for (const LockId& lock : {held, taken}) {
      if (nodes_.try_emplace(lock).second) forget_older(lock);
    }
  }
  Orders& orders = nodes_.at(held);
  const auto known = orders.find(taken);
  if (known != orders.end()) return &known->second;
  // Those to earlier locks at that address lead nowhere.
  for (auto it = orders.lower_bound({taken.address, 0}); it != orders.end() && it->first < taken;) {
    it = orders.erase(it);
    --orders_;
  }
  if (orders_ >= kMostOrders) return nullptr;
  ++orders_;
  return &orders[taken];
}

bool LockGraph::note(const CycleStep& step) {
  Order* const order = order_of(step.held.lock, step.acquisition->taken.lock);
  if (order == nullptr) {
    ++left_out_;
    return false;
  }
  std::vector<CycleStep>& known = order->occurrences;
  for (const CycleStep& one : known) {
    if (covers(one, step)) return false;
  }
  std::erase_if(known, [&](const CycleStep& one) { return covers(step, one); });
  if (known.size() >= kOccurrences) {
    // Two threads, with and without what else is held, are what a cycle needs.
    known.erase(known.begin() + 1);
  }
  known.push_back(step);
  return true;
}

// Breadth first: the locks that can be reached from `from`, until there are no more or too many.
bool LockGraph::leads_back(const LockId& from, const LockId& to, std::set<LockId>& reached) {
  std::deque<LockId> front{from};
  size_t visits = 0;
  while (!front.empty()) {
    const LockId lock = front.front();
    front.pop_front();
    if (!reached.insert(lock).second) continue;
    const auto node = nodes_.find(lock);
    if (node == nodes_.end()) continue;
    for (const auto& [next, order] : node->second) {
      if (++visits > kMostVisits) {
        ++left_out_;
        return reached.contains(to);
      }
      if (!reached.contains(next)) front.push_back(next);
    }
  }
  return reached.contains(to);
}

std::optional<Cycle> LockGraph::find_cycle(const CycleStep& closing) {
  std::set<LockId> reached;
  if (!leads_back(closing.acquisition->taken.lock, closing.held.lock, reached)) return std::nullopt;
  Search search;
  search.reached = &reached;
  search.path.push_back(closing);
  if (extend(search)) return search.path;
  if (search.visits > kMostVisits) ++left_out_;
  return std::nullopt;
}

bool LockGraph::extend(Search& search) {
  const LockId home = search.path.front().held.lock;
  const LockId here = search.path.back().acquisition->taken.lock;
  const auto node = nodes_.find(here);
  if (node == nodes_.end()) return false;
  const auto try_order = [&](const LockId& next, const Order& order) {
    for (const CycleStep& step : order.occurrences) {
      if (++search.visits > kMostVisits) return false;
      if (!can_follow(search.path.back(), step)) continue;
      const bool fits =
          std::none_of(search.path.begin(), search.path.end(), [&](const CycleStep& before) {
            return exclude_each_other(*before.acquisition, *step.acquisition);
          });
      if (!fits) continue;
      search.path.push_back(step);
      if (next == home) {
        if (can_follow(step, search.path.front())) return true;
      } else if (search.path.size() < kLongestCycle && extend(search)) {
        return true;
      }
      search.path.pop_back();
    }
    return false;
  };
  // The short way first.
  const auto direct = node->second.find(home);
  if (direct != node->second.end() && try_order(home, direct->second)) return true;
  for (const auto& [next, order] : node->second) {
    if (next == home || !search.reached->contains(next)) continue;
    const bool is_on_path =
        std::any_of(search.path.begin(), search.path.end(), [&](const CycleStep& step) {
          return step.held.lock == next || step.acquisition->taken.lock == next;
        });
    if (!is_on_path && try_order(next, order)) return true;
  }
  return false;
}

void LockGraph::exclude(uint64_t address) {
  constexpr size_t kMostExcluded = 100000;
  if (excluded_.size() < kMostExcluded) excluded_.insert(address);
  for (auto it = nodes_.lower_bound({address, 0});
       it != nodes_.end() && it->first.address == address;) {
    it = forget(it);
  }
}

}  // namespace tailback
