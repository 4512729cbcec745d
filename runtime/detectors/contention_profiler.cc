#include "runtime/detectors/contention_profiler.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tailback {

using contract::ContendedLock;
using contract::ContendedState;
using std::chrono::milliseconds;

namespace {

constexpr auto kInterval = milliseconds(5);
constexpr auto kMapsAge = milliseconds(200);
constexpr auto kLongWait = milliseconds(4);  // shorter ones are not looked at
constexpr unsigned kMostSamples = 16;        // in one interval
constexpr unsigned kMostMisses = 8;          // looks at one wait in turn without its owner
constexpr size_t kMostStacks = 64;           // of one lock
constexpr size_t kToldStacks = 3;
constexpr size_t kMostProcesses = 256;

bool is_live(const ContendedLock& entry) {
  return entry.state.load(std::memory_order_acquire) ==
         static_cast<uint32_t>(ContendedState::kLive);
}

uint64_t address_of(const ContendedLock& entry) {
  return contract::address_of_lock_key(entry.key.load());
}

std::string_view kind_of(uint32_t function) {
  const intercept::FunctionFacts& facts = intercept::facts_of(checked_function(function));
  if (intercept::object_is(facts, "rwlock")) return "rwlock";
  if (intercept::object_is(facts, "spin")) return "spin";
  if (intercept::object_is(facts, "sem")) return "semaphore";
  return "mutex";
}

bool waits_for_lock(const CallView& call) {
  return intercept::facts_of(call.function).family == intercept::Family::kLock;
}

std::vector<ContentionStack> heaviest(std::vector<ContentionStack> stacks) {
  std::stable_sort(stacks.begin(), stacks.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (stacks.size() > kToldStacks) stacks.resize(kToldStacks);
  return stacks;
}

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

}  // namespace

ContentionProfiler::ContentionProfiler(DetectorInput& input, CulpritRule rule,
                                       std::unique_ptr<StackSource> stacks)
    : input_(input),
      segment_(input.segment()),
      clock_(input.clock()),
      sampler_(input.sampler()),
      reader_(std::move(rule), std::move(stacks)) {}

ContentionProfiler::~ContentionProfiler() {
  if (thread_.joinable()) stop();
}

void ContentionProfiler::start() {
  thread_ = std::thread([this] { run(); });
}

void ContentionProfiler::stop() {
  stopping_.store(true);
  thread_.join();
}

void ContentionProfiler::run() {
  while (!stopping_.load()) {
    poll();
    std::this_thread::sleep_for(kInterval);
  }
  poll_last();
}

// Nothing that a target does may end the observer.
void ContentionProfiler::poll() {
  try {
    input_.begin_poll();
    read_entries();
    poll_waits();
  } catch (const std::exception&) {
  }
}

void ContentionProfiler::poll_last() {
  try {
    input_.begin_poll();
    read_entries();
  } catch (const std::exception&) {
  }
}

// What has to be read while the process lives: its maps, the names in its modules.
void ContentionProfiler::read_entries() {
  const uint64_t used = segment_.header.contended_used.load(std::memory_order_acquire);
  if (used != segment_.header.contended_seen.load()) {
    for (uint32_t i = 0; i < contract::kContendedLocks; ++i) {
      const ContendedLock& entry = segment_.contended[i];
      if (known_.contains(i) || !is_live(entry)) continue;
      learn(entry, known_[i]);
      shown_[{entry.pid.load(), address_of(entry)}] = i;
    }
  }
  for (auto& [index, known] : known_) {
    for (const contract::ContentionSite& site : segment_.contended[index].sites) {
      const uint64_t call_site = site.call_site.load();
      if (call_site == 0 || known.places.contains(call_site)) continue;
      // The segment is everybody's to write.
      if (known.places.size() < 2 * contract::kContentionSites) {
        known.places[call_site] = caller(known.pid, call_site);
      }
    }
  }
  segment_.header.contended_seen.store(used, std::memory_order_release);
}

void ContentionProfiler::learn(const ContendedLock& entry, Known& known) {
  known.pid = entry.pid.load();
  heed_new_program(known.pid, entry.process_generation.load());
  known.process = input_.proc().comm(known.pid, known.pid).value_or("");
  known.lock.address = address_of(entry);
  known.lock.kind = kind_of(entry.function.load());
  const auto modules = modules_of(known.pid, known.lock.address);
  const RemoteAddress address(known.lock.address);
  if (auto name = reader_.source().variable_at(known.pid, *modules, address)) {
    known.lock.name = std::move(*name);
  }
  known.lock.initialised = caller(known.pid, entry.origin.load());
}

void ContentionProfiler::heed_new_program(int pid, uint32_t generation) {
  const auto known = generations_.find(pid);
  if (known != generations_.end() && known->second == generation) return;
  if (generations_.size() >= kMostProcesses) {
    for (const auto& [other, unused] : generations_) sampler_.forget(other);
    generations_.clear();
  }
  sampler_.forget(pid);
  generations_[pid] = generation;
}

std::shared_ptr<const ModuleMap> ContentionProfiler::modules_of(int pid, uint64_t address) {
  auto modules = sampler_.modules(pid, std::chrono::hours(1));
  const bool knows = modules->find(RemoteAddress(address)) != nullptr;
  return knows ? modules : sampler_.modules(pid, kMapsAge);
}

Frame ContentionProfiler::caller(int pid, uint64_t call_site) {
  if (call_site == 0) return {};
  return reader_.caller(pid, *modules_of(pid, call_site), call_site);
}

// Each wait that lasts is looked at whenever it has become twice as long.
void ContentionProfiler::poll_waits() {
  const uint64_t long_wait = clock_.ticks(kLongWait);
  const uint64_t now = clock_.now();
  unsigned looks = 0;
  const uint32_t used = threads_used(segment_);
  for (uint32_t i = 0; i < used && looks < kMostSamples; ++i) {
    const contract::ThreadRecord& record = segment_.threads[i];
    if (record.state.load() != static_cast<uint32_t>(contract::ThreadState::kLive)) continue;
    const auto call = view_call(record.call);
    if (!call || !waits_for_lock(*call) || now < call->entered + long_wait) continue;
    const auto shown =
        shown_.find({record.pid.load(), call->arguments[0] & contract::kAddressMask});
    if (shown == shown_.end()) continue;
    Wait& wait = waits_[i];
    if (wait.entered != call->entered) wait = {call->entered};
    if (wait.looked != 0 && now - call->entered < 2 * (wait.looked - call->entered)) continue;
    ++looks;
    if (look_at(i, *call, wait, known_[shown->second])) {
      wait.looked = now;
      wait.misses = 0;
    } else {
      ++wait.misses;
    }
  }
}

bool ContentionProfiler::look_at(uint32_t index, const CallView& call, const Wait& wait,
                                 Known& known) {
  const contract::ThreadRecord& record = segment_.threads[index];
  const int pid = record.pid.load();
  const uint64_t weight = clock_.now() - (wait.looked != 0 ? wait.looked : call.entered);
  const int owner = owner_of(record.process.load(), pid, call);
  const auto held_by = owner > 0 ? sample_of_owner(pid, owner) : nullptr;
  // One that is ready to run, but has no CPU, can't be held. Others never can.
  const bool is_unread = held_by && !held_by->snapshot;
  if (is_unread && wait.misses < kMostMisses) return false;
  const auto sample = sample_of(index);
  const bool waits_still = sample->source == Sample::Source::kRecord && sample->snapshot &&
                           sample->recorded.same_call(call);
  if (!waits_still) return true;
  add_stack(pid, *sample, "", weight, known.waiters);
  const bool still_holds = held_by && owner_of(record.process.load(), pid, call) == owner;
  if (still_holds && !is_unread) {
    const bool blocked = held_by->call && !held_by->held;
    add_stack(pid, *held_by, blocked ? held_by->call->call.function : "", weight, known.owners);
  }
  return true;
}

std::shared_ptr<const Sample> ContentionProfiler::sample_of(uint32_t index) {
  const contract::ThreadRecord& record = segment_.threads[index];
  return sampler_.take(index, record.pid.load(), record.tid.load());
}

int ContentionProfiler::owner_of(uint32_t process, int pid, const CallView& call) const {
  CallInProgress in_progress;
  in_progress.function = call.function;
  in_progress.arguments = call.arguments;
  const int owner = sampler_.lock_owner(pid, in_progress);
  if (owner > 0) return owner;
  const uint64_t key = contract::lock_key(process, call.arguments[0]);
  const contract::SemaphoreUse& use =
      segment_.semaphores[contract::lock_key_hash(key) % contract::kSemaphoreUses];
  const bool is_lock = use.key.load() == key && use.posted.load() == contract::kPostedByTaker;
  return is_lock ? use.taker.load() : 0;
}

std::shared_ptr<const Sample> ContentionProfiler::sample_of_owner(int pid, int tid) {
  const uint32_t used = threads_used(segment_);
  for (uint32_t i = 0; i < used; ++i) {
    const contract::ThreadRecord& record = segment_.threads[i];
    if (record.tid.load() == tid && record.pid.load() == pid) return sample_of(i);
  }
  return nullptr;
}

void ContentionProfiler::add_stack(int pid, const Sample& sample, std::string call, uint64_t weight,
                                   std::vector<ContentionStack>& stacks) {
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
  same->weight += clock_.duration(weight);
}

Contention ContentionProfiler::numbers_of(const ContendedLock& entry, const Known& known) const {
  Contention lock;
  lock.pid = known.pid;
  lock.process = known.process;
  lock.lock = known.lock;
  lock.waits = entry.waits.load();
  lock.total = clock_.duration(entry.total_ticks.load());
  lock.longest = clock_.duration(entry.longest_ticks.load());
  const uint64_t whole = entry.hold_ticks.load();
  const uint64_t part = entry.hold_part_ticks.load();
  lock.hold_known = whole != 0 || part != 0;
  lock.hold_is_part = part > whole;
  lock.longest_hold = clock_.duration(std::max(whole, part));
  for (const contract::ContentionSite& site : entry.sites) {
    const auto place = known.places.find(site.call_site.load());
    if (place == known.places.end()) continue;
    add(lock.places, {place->second, site.waits.load(), clock_.duration(site.total_ticks.load()),
                      clock_.duration(site.longest_ticks.load())});
  }
  lock.waiters = heaviest(known.waiters);
  lock.owners = heaviest(known.owners);
  return lock;
}

std::vector<Contention> ContentionProfiler::locks() {
  using Key = std::tuple<int, uint64_t, std::string, std::string, int>;
  std::map<Key, Contention> merged;
  clock_.refine();
  for (const auto& [index, known] : known_) {
    Contention lock = numbers_of(segment_.contended[index], known);
    if (lock.waits == 0) continue;  // one that still waits, or died in it
    const Frame& origin = known.lock.initialised;
    const Key key(known.pid, known.lock.address, origin.function, origin.file, origin.line);
    if (const auto it = merged.find(key); it != merged.end()) {
      merge(it->second, lock);
    } else {
      merged.emplace(key, std::move(lock));
    }
  }
  std::vector<Contention> all;
  for (auto& [key, lock] : merged) {
    std::stable_sort(lock.places.begin(), lock.places.end(),
                     [](const auto& a, const auto& b) { return a.total > b.total; });
    all.push_back(std::move(lock));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.total > b.total; });
  counts_ = {all.size(), segment_.header.contended_missed.load()};
  return all;
}

}  // namespace tailback
