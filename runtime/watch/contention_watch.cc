#include "runtime/watch/contention_watch.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "runtime/capture/snapshot.h"
#include "runtime/explain/call_description.h"
#include "runtime/kernel/kernel_view.h"

namespace tailback {

using contract::ContendedLock;
using contract::ContendedState;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto kInterval = milliseconds(5);
constexpr auto kMapsAge = milliseconds(200);
constexpr auto kLongWait = milliseconds(4);  // shorter ones are not looked at
constexpr unsigned kMostLooks = 16;          // in one interval
constexpr size_t kMostStacks = 64;           // of one lock
constexpr size_t kToldStacks = 3;
constexpr size_t kMostProcesses = 256;

bool is_live(const ContendedLock& entry) {
  return entry.state.load(std::memory_order_acquire) ==
         static_cast<uint32_t>(ContendedState::kLive);
}

uint64_t address_of(const ContendedLock& entry) {
  return entry.key.load() & 0xffffffffffff;
}

std::string_view kind_of(uint32_t function) {
  const std::string_view name =
      intercept::kFunctions[static_cast<uint32_t>(checked_function(function))].name;
  if (name.find("rwlock") != std::string_view::npos) return "rwlock";
  if (name.find("spin") != std::string_view::npos) return "spin";
  if (name.starts_with("sem")) return "semaphore";
  return "mutex";
}

bool waits_for_lock(const CallView& call) {
  return intercept::kFunctions[static_cast<uint32_t>(call.function)].family ==
         intercept::Family::kLock;
}

std::vector<ContentionStack> heaviest(const std::map<std::vector<uint64_t>, ContentionStack>& all) {
  std::vector<ContentionStack> stacks;
  for (const auto& [addresses, stack] : all) stacks.push_back(stack);
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

ContentionWatch::ContentionWatch(Session& session, CulpritRule rule)
    : segment_(session.segment()),
      clock_(session.segment().header.tick_source),
      rule_(std::move(rule)),
      unwinder_(make_unwinder()) {}

ContentionWatch::~ContentionWatch() {
  if (thread_.joinable()) stop();
}

void ContentionWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void ContentionWatch::stop() {
  stopping_.store(true);
  thread_.join();
}

void ContentionWatch::run() {
  while (!stopping_.load()) {
    // Nothing that a target does may end the observer.
    try {
      read_entries();
      look_at_waits();
    } catch (const std::exception&) {
    }
    std::this_thread::sleep_for(kInterval);
  }
  try {
    read_entries();
  } catch (const std::exception&) {
  }
}

// What has to be read while the process lives: its maps, the names in its modules.
void ContentionWatch::read_entries() {
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

void ContentionWatch::learn(const ContendedLock& entry, Known& known) {
  known.pid = entry.pid.load();
  known.process = read_comm(known.pid, known.pid).value_or("");
  known.lock.address = address_of(entry);
  known.lock.kind = kind_of(entry.function.load());
  const auto modules = modules_of(known.pid, known.lock.address);
  const RemoteAddress address(known.lock.address);
  if (auto name = symbolizer_.variable_at(known.pid, *modules, address)) {
    known.lock.name = std::move(*name);
  }
  known.lock.initialised = caller(known.pid, entry.origin.load());
}

std::shared_ptr<const ModuleMap> ContentionWatch::modules_of(int pid, uint64_t address) {
  const auto now = steady_clock::now();
  if (modules_.size() >= kMostProcesses && !modules_.contains(pid)) modules_.clear();
  Modules& modules = modules_[pid];
  const bool knows = modules.map && modules.map->find(RemoteAddress(address)) != nullptr;
  if (!modules.map || (!knows && now - modules.read > kMapsAge)) {
    if (auto map = ModuleMap::read(pid); map && !map->mappings().empty()) {
      modules.map = std::make_shared<const ModuleMap>(std::move(*map));
    } else if (!modules.map) {
      modules.map = std::make_shared<const ModuleMap>();
    }
    modules.read = now;
  }
  return modules.map;
}

Frame ContentionWatch::caller(int pid, uint64_t call_site) {
  if (call_site == 0) return {};
  RawFrame frame;
  frame.address = RemoteAddress(call_site);
  auto frames = symbolizer_.symbolize(pid, *modules_of(pid, call_site), frame);
  if (frames.empty()) return {};
  // What was inlined (std::mutex::lock) says less than the function that it stands in.
  const size_t culprit = find_culprit(frames, rule_);
  return std::move(frames[culprit < frames.size() ? culprit : 0]);
}

// Each wait that lasts is looked at whenever it has become twice as long.
void ContentionWatch::look_at_waits() {
  const uint64_t long_wait = clock_.ticks(kLongWait);
  const uint64_t now = clock_.now();
  unsigned looks = 0;
  const uint32_t used = threads_used(segment_);
  for (uint32_t i = 0; i < used && looks < kMostLooks; ++i) {
    const contract::ThreadRecord& record = segment_.threads[i];
    if (record.state.load() != static_cast<uint32_t>(contract::ThreadState::kLive)) continue;
    const auto call = view_call(record.call);
    if (!call || !waits_for_lock(*call) || now < call->entered + long_wait) continue;
    const auto shown = shown_.find({record.pid.load(), call->arguments[0] & 0xffffffffffff});
    if (shown == shown_.end()) continue;
    Wait& wait = waits_[i];
    if (wait.entered != call->entered) wait = {call->entered, 0};
    if (wait.looked != 0 && now - call->entered < 2 * (wait.looked - call->entered)) continue;
    ++looks;
    look_at(i, *call, wait, known_[shown->second]);
    wait.looked = now;
  }
}

void ContentionWatch::look_at(uint32_t index, const CallView& call, Wait& wait, Known& known) {
  const contract::ThreadRecord& record = segment_.threads[index];
  const int pid = record.pid.load();
  const uint64_t weight = clock_.now() - (wait.looked != 0 ? wait.looked : call.entered);
  const int owner = owner_of(record.process.load(), pid, call);
  Stacks waiter;
  add_stack(pid, record.tid.load(), {call.context, true}, "", weight, waiter);
  const auto again = view_call(record.call);
  if (!again || !again->same_call(call)) return;  // what was read since is torn
  for (auto& [addresses, stack] : waiter.by_addresses) {
    if (known.waiters.by_addresses.size() >= kMostStacks) break;
    ContentionStack& sum = known.waiters.by_addresses[addresses];
    if (sum.samples == 0) {
      sum = std::move(stack);
    } else {
      sum.samples += stack.samples;
      sum.weight += stack.weight;
    }
  }
  if (owner > 0) add_owner(pid, owner, weight, known);
}

int ContentionWatch::owner_of(uint32_t process, int pid, const CallView& call) const {
  CallInProgress in_progress;
  in_progress.function = call.function;
  in_progress.arguments = call.arguments;
  const int owner = describe_call(pid, in_progress).owner_tid;
  if (owner > 0) return owner;
  const uint64_t key = contract::lock_key(process, call.arguments[0]);
  const contract::SemaphoreUse& use =
      segment_.semaphores[contract::lock_key_hash(key) % contract::kSemaphoreUses];
  const bool is_lock = use.key.load() == key && use.posted.load() == contract::kPostedByTaker;
  return is_lock ? use.taker.load() : 0;
}

// One that runs has no stack that could be read without stopping it.
void ContentionWatch::add_owner(int pid, int tid, uint64_t weight, Known& known) {
  if (known.owners.by_addresses.size() >= kMostStacks) return;
  const uint32_t used = threads_used(segment_);
  for (uint32_t i = 0; i < used; ++i) {
    const contract::ThreadRecord& record = segment_.threads[i];
    if (record.tid.load() != tid || record.pid.load() != pid) continue;
    if (const auto call = view_call(record.call)) {
      Stacks owner = known.owners;
      CallInProgress in_progress;
      in_progress.function = call->function;
      in_progress.arguments = call->arguments;
      add_stack(pid, tid, {call->context, true}, describe_call(pid, in_progress).call.function,
                weight, owner);
      const auto again = view_call(record.call);
      if (again && again->same_call(*call)) known.owners = std::move(owner);
      return;
    }
    break;
  }
  const auto blocked = read_kernel_call(pid, tid);
  if (!blocked) return;
  Registers registers;
  registers.context.instruction_pointer = blocked->instruction_pointer;
  registers.context.stack_pointer = blocked->stack_pointer;
  registers.complete = false;
  add_stack(pid, tid, registers, "", weight, known.owners);
}

void ContentionWatch::add_stack(int pid, int tid, const Registers& registers, std::string call,
                                uint64_t weight, Stacks& stacks) {
  const auto modules = modules_of(pid, registers.context.instruction_pointer);
  const auto snapshot = take_snapshot(pid, tid, registers, modules);
  if (!snapshot) return;
  const RawStack raw = unwinder_->unwind(*snapshot);
  std::vector<uint64_t> addresses;
  for (const RawFrame& frame : raw.frames) addresses.push_back(frame.address.value);
  if (addresses.empty()) return;
  ContentionStack& stack = stacks.by_addresses[addresses];
  if (stack.samples++ == 0) {
    stack.stack = symbolizer_.symbolize(pid, *modules, raw);
    strip_recorder(stack.stack);
    stack.culprit = find_culprit(stack.stack, rule_);
    stack.complete = raw.complete;
    stack.call = std::move(call);
  }
  stack.weight += clock_.duration(weight);
}

Contention ContentionWatch::numbers_of(const ContendedLock& entry, const Known& known) const {
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
  lock.waiters = heaviest(known.waiters.by_addresses);
  lock.owners = heaviest(known.owners.by_addresses);
  return lock;
}

std::vector<Contention> ContentionWatch::locks() {
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
