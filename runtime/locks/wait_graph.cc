#include "runtime/locks/wait_graph.h"

#include <algorithm>
#include <map>

namespace tailback {

namespace {

constexpr size_t kNobody = static_cast<size_t>(-1);

class Graph {
 public:
  explicit Graph(const std::vector<Wait>& waits) : waits_(waits), stuck_(waits.size(), true) {
    for (size_t i = 0; i < waits.size(); ++i) index_.emplace(waits[i].thread, i);
    release_those_that_can_go_on();
    connect();
  }

  // Strongly connected components of the stuck waits (Tarjan), those that others lead to first.
  std::vector<std::vector<size_t>> components();
  const std::vector<std::vector<size_t>>& edges() const { return edges_; }
  bool is_stuck(size_t wait) const { return stuck_[wait]; }
  // Whether a blocker of the wait is nobody.
  bool waits_for_nobody(size_t wait) const {
    const auto& blockers = waits_[wait].blockers;
    return std::any_of(blockers.begin(), blockers.end(),
                       [](const Blocker& blocker) { return blocker.threads.empty(); });
  }

 private:
  size_t index_of(const ThreadId& thread) const {
    const auto found = index_.find(thread);
    return found == index_.end() ? kNobody : found->second;
  }
  bool never_steps_aside(const Blocker& blocker) const {
    return std::all_of(blocker.threads.begin(), blocker.threads.end(), [&](const ThreadId& one) {
      const size_t wait = index_of(one);
      return wait != kNobody && stuck_[wait];
    });
  }

  // Until nothing changes: what is left is the greatest set whose waits depend on each other only.
  void release_those_that_can_go_on() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < waits_.size(); ++i) {
        if (!stuck_[i]) continue;
        const auto& blockers = waits_[i].blockers;
        if (std::any_of(blockers.begin(), blockers.end(),
                        [&](const Blocker& one) { return never_steps_aside(one); })) {
          continue;
        }
        stuck_[i] = false;
        changed = true;
      }
    }
  }

  void connect() {
    edges_.resize(waits_.size());
    for (size_t i = 0; i < waits_.size(); ++i) {
      if (!stuck_[i]) continue;
      for (const Blocker& blocker : waits_[i].blockers) {
        if (!never_steps_aside(blocker)) continue;
        for (const ThreadId& thread : blocker.threads) edges_[i].push_back(index_of(thread));
      }
    }
  }

  const std::vector<Wait>& waits_;
  std::map<ThreadId, size_t> index_;
  std::vector<bool> stuck_;
  std::vector<std::vector<size_t>> edges_;
};

// Without recursion: there may be as many waits as a process has threads.
std::vector<std::vector<size_t>> Graph::components() {
  struct Visit {
    size_t wait;
    size_t next_edge;
  };
  std::vector<std::vector<size_t>> found;
  std::vector<size_t> number(waits_.size(), kNobody);
  std::vector<size_t> lowest(waits_.size(), 0);
  std::vector<bool> on_stack(waits_.size(), false);
  std::vector<size_t> stack;
  size_t count = 0;
  for (size_t root = 0; root < waits_.size(); ++root) {
    if (!stuck_[root] || number[root] != kNobody) continue;
    std::vector<Visit> path{{root, 0}};
    while (!path.empty()) {
      const size_t wait = path.back().wait;
      if (path.back().next_edge == 0) {
        number[wait] = lowest[wait] = count++;
        stack.push_back(wait);
        on_stack[wait] = true;
      }
      bool descends = false;
      while (path.back().next_edge < edges_[wait].size()) {
        const size_t to = edges_[wait][path.back().next_edge++];
        if (number[to] == kNobody) {
          path.push_back({to, 0});
          descends = true;
          break;
        }
        if (on_stack[to]) lowest[wait] = std::min(lowest[wait], number[to]);
      }
      if (descends) continue;
      path.pop_back();
      if (!path.empty())
        lowest[path.back().wait] = std::min(lowest[path.back().wait], lowest[wait]);
      if (lowest[wait] != number[wait]) continue;
      found.emplace_back();
      for (size_t member = kNobody; member != wait;) {
        member = stack.back();
        stack.pop_back();
        on_stack[member] = false;
        found.back().push_back(member);
      }
    }
  }
  return found;
}

bool leads_to(const std::vector<size_t>& edges, size_t wait) {
  return std::find(edges.begin(), edges.end(), wait) != edges.end();
}

// From the least on, each to one that it waits for, as far as that goes.
std::vector<size_t> in_order(std::vector<size_t> members,
                             const std::vector<std::vector<size_t>>& edges) {
  std::sort(members.begin(), members.end());
  std::vector<size_t> order{members.front()};
  members.erase(members.begin());
  while (!members.empty()) {
    auto next = std::find_if(members.begin(), members.end(),
                             [&](size_t one) { return leads_to(edges[order.back()], one); });
    if (next == members.end()) next = members.begin();
    order.push_back(*next);
    members.erase(next);
  }
  return order;
}

}  // namespace

std::vector<DeadlockedSet> find_deadlocked_sets(const std::vector<Wait>& waits) {
  Graph graph(waits);
  const auto& edges = graph.edges();
  std::vector<DeadlockedSet> deadlocked_sets;
  for (std::vector<size_t>& members : graph.components()) {
    const bool is_cycle = members.size() > 1 || leads_to(edges[members[0]], members[0]) ||
                          graph.waits_for_nobody(members[0]);
    if (!is_cycle) continue;
    const auto has = [&](Wait::Kind kind) {
      return std::any_of(members.begin(), members.end(),
                         [&](size_t one) { return waits[one].kind == kind; });
    };
    if (has(Wait::Kind::kRest) && !has(Wait::Kind::kLock)) continue;
    deadlocked_sets.push_back({in_order(std::move(members), edges), {}});
  }
  std::vector<size_t> deadlocked_set_of(waits.size(), kNobody);
  for (size_t k = 0; k < deadlocked_sets.size(); ++k) {
    for (const size_t member : deadlocked_sets[k].cycle) deadlocked_set_of[member] = k;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < waits.size(); ++i) {
      if (!graph.is_stuck(i) || deadlocked_set_of[i] != kNobody) continue;
      for (const size_t to : edges[i]) {
        if (deadlocked_set_of[to] == kNobody) continue;
        deadlocked_set_of[i] = deadlocked_set_of[to];
        deadlocked_sets[deadlocked_set_of[i]].behind.push_back(i);
        changed = true;
        break;
      }
    }
  }
  std::sort(deadlocked_sets.begin(), deadlocked_sets.end(),
            [](const DeadlockedSet& a, const DeadlockedSet& b) {
              return a.cycle.front() < b.cycle.front();
            });
  return deadlocked_sets;
}

}  // namespace tailback
