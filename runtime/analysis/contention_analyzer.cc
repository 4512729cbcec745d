#include "runtime/analysis/contention_analyzer.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tailback {

namespace {

constexpr size_t kMostStacks = 64;     // of one lock
constexpr size_t kReportedStacks = 3;  // of those that wait, and of owners

void keep_heaviest(std::vector<ContentionStack>& stacks) {
  std::stable_sort(stacks.begin(), stacks.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (stacks.size() > kReportedStacks) stacks.resize(kReportedStacks);
}

// Call sites may have one name: inlined copies of a function.
void add(std::vector<ContentionPlace>& places, ContentionPlace one) {
  const auto it = std::find_if(places.begin(), places.end(),
                               [&](const auto& place) { return place.frame == one.frame; });
  if (it == places.end()) {
    places.push_back(std::move(one));
    return;
  }
  it->waits += one.waits;
  it->total += one.total;
  it->longest = std::max(it->longest, one.longest);
}

// Entries of one lock that two threads began at once.
void merge(Contention& into, const Contention& other) {
  into.waits += other.waits;
  into.total += other.total;
  into.longest = std::max(into.longest, other.longest);
  if (other.hold_known && (!into.hold_known || other.longest_hold > into.longest_hold)) {
    into.hold_known = true;
    into.longest_hold = other.longest_hold;
    into.hold_is_part = other.hold_is_part;
  }
  for (const ContentionPlace& place : other.places) add(into.places, place);
  if (into.waiters.empty()) into.waiters = other.waiters;
  if (into.owners.empty()) into.owners = other.owners;
}

template <typename T>
void sort_by_total(std::vector<T>& list) {
  std::stable_sort(list.begin(), list.end(),
                   [](const T& a, const T& b) { return a.total > b.total; });
}

}  // namespace

void ContentionAnalyzer::analyze(const ContentionSeen& seen) {
  KnownLock& known = known_[seen.entry];
  if (!known.is_named && seen.modules) name(seen, known);
  for (const uint64_t call_site : seen.call_sites) {
    known.places.emplace(call_site, reader_.caller(seen.pid, *seen.modules, call_site));
  }
  if (seen.wait) add_wait(seen, known.lock);
  if (seen.totals) add_totals(*seen.totals, known);
}

void ContentionAnalyzer::name(const ContentionSeen& seen, KnownLock& known) {
  known.is_named = true;
  known.lock.pid = seen.pid;
  known.lock.process = seen.process;
  OrderedLock& lock = known.lock.lock;
  lock.address = seen.address;
  lock.kind = seen.kind;
  lock.name = reader_.source()
                  .variable_at(seen.pid, *seen.modules, RemoteAddress(seen.address))
                  .value_or("");
  lock.initialised = reader_.caller(seen.pid, *seen.modules, seen.origin);
}

void ContentionAnalyzer::add_wait(const ContentionSeen& seen, Contention& lock) {
  const ContentionSeen::WaitingThread& wait = *seen.wait;
  add_stack(seen.pid, *wait.waiter, "", wait.weight, lock.waiters);
  if (!wait.owner) return;
  const Sample& owner = *wait.owner;
  const bool is_blocked = owner.call && !owner.held;
  add_stack(seen.pid, owner, is_blocked ? owner.call->call.function : "", wait.weight, lock.owners);
}

void ContentionAnalyzer::add_stack(int pid, const Sample& sample, std::string call,
                                   Nanoseconds weight, std::vector<ContentionStack>& stacks) {
  ReadStack read = reader_.read(pid, sample);
  if (read.frames.empty()) return;
  auto same = std::find_if(stacks.begin(), stacks.end(), [&](const ContentionStack& known) {
    return known.stack == read.frames && known.call == call;
  });
  if (same == stacks.end()) {
    if (stacks.size() >= kMostStacks) return;
    ContentionStack stack;
    stack.stack = std::move(read.frames);
    stack.culprit = read.culprit;
    stack.complete = read.complete;
    stack.call = std::move(call);
    same = stacks.insert(same, std::move(stack));
  }
  ++same->samples;
  same->weight += weight;
}

void ContentionAnalyzer::add_totals(const ContentionSeen::Totals& totals, KnownLock& known) {
  Contention& lock = known.lock;
  lock.waits = totals.waits;
  lock.total = totals.total;
  lock.longest = totals.longest;
  lock.hold_known = totals.hold_known;
  lock.hold_is_part = totals.hold_is_part;
  lock.longest_hold = totals.longest_hold;
  for (const ContentionSeen::Place& place : totals.places) {
    const auto named = known.places.find(place.call_site);
    if (named == known.places.end()) continue;
    add(lock.places, {named->second, place.waits, place.total, place.longest});
  }
  keep_heaviest(lock.waiters);
  keep_heaviest(lock.owners);
}

std::vector<Contention> ContentionAnalyzer::merged() const {
  using Key = std::tuple<int, uint64_t, std::string, std::string, int>;
  std::map<Key, Contention> merged;
  for (const auto& [entry, known] : known_) {
    const Contention& lock = known.lock;
    if (lock.waits == 0) continue;  // a thread still waits, or died while it did
    const Frame& origin = lock.lock.initialised;
    const Key key(lock.pid, lock.lock.address, origin.function, origin.file, origin.line);
    const auto [it, is_new] = merged.emplace(key, lock);
    if (!is_new) merge(it->second, lock);
  }
  std::vector<Contention> all;
  for (auto& [key, lock] : merged) {
    sort_by_total(lock.places);
    all.push_back(std::move(lock));
  }
  sort_by_total(all);
  return all;
}

void ContentionAnalyzer::finish() {
  const std::vector<Contention> all = merged();
  locks_ = all.size();
  for (size_t i = 0; i < std::min(all.size(), kMostReported); ++i) reporter_.report(all[i]);
}

}  // namespace tailback
