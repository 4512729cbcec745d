#include "runtime/detectors/contention_profiler.h"

#include <algorithm>
#include <utility>

namespace tailback {

using contract::ContendedLock;
using contract::ContendedState;
using std::chrono::milliseconds;

namespace {

constexpr auto kInterval = milliseconds(5);
constexpr auto kLongWait = milliseconds(4);  // shorter ones are not sampled
constexpr unsigned kMostSamples = 16;        // in one interval
constexpr unsigned kMostMisses = 8;          // samples of one wait in a row without its owner
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

}  // namespace

ContentionProfiler::ContentionProfiler(DetectorInput& input, Emit emit)
    : input_(input),
      segment_(input.segment()),
      clock_(input.clock()),
      sampler_(input.sampler()),
      emit_(std::move(emit)) {}

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

// A corrupt target must not end the observer.
void ContentionProfiler::poll() {
  try {
    input_.begin_poll();
    read_entries();
    poll_waits();
  } catch (const std::exception&) {
    ++failures_;
  }
}

void ContentionProfiler::poll_last() {
  try {
    input_.begin_poll();
    read_entries();
    emit_totals();
  } catch (const std::exception&) {
    ++failures_;
  }
}

// Emits what has to be named while the process lives and its maps can be read.
void ContentionProfiler::read_entries() {
  const uint64_t used = segment_.header.contended_used.load(std::memory_order_acquire);
  if (used != segment_.header.contended_seen.load()) {
    for (uint32_t i = 0; i < contract::kContendedLocks; ++i) {
      if (!known_.contains(i) && is_live(segment_.contended[i])) learn(i);
    }
  }
  for (auto& [index, known] : known_) {
    for (const contract::ContentionSite& site : segment_.contended[index].sites) {
      const uint64_t call_site = site.call_site.load();
      if (call_site == 0 || known.call_sites.contains(call_site)) continue;
      // The segment is everybody's to write.
      if (known.call_sites.size() >= 2 * contract::kContentionSites) continue;
      known.call_sites.insert(call_site);
      ContentionSeen news = news_of(index, known);
      news.call_sites = {call_site};
      news.modules = sampler_.modules(known.pid, RemoteAddress(call_site));
      emit_(std::move(news));
    }
  }
  segment_.header.contended_seen.store(used, std::memory_order_release);
}

void ContentionProfiler::learn(uint32_t index) {
  const ContendedLock& entry = segment_.contended[index];
  KnownLock& known = known_[index];
  known.pid = entry.pid.load();
  heed_new_program(known.pid, entry.process_generation.load());
  known.process = input_.proc().comm(known.pid, known.pid).value_or("");
  known.address = address_of(entry);
  known.kind = kind_of(entry.function.load());
  shown_[{known.pid, known.address}] = index;
  ContentionSeen news = news_of(index, known);
  news.origin = entry.origin.load();
  news.modules = sampler_.modules(known.pid, RemoteAddress(known.address));
  if (news.origin != 0 && !news.modules->find(RemoteAddress(news.origin))) {
    news.modules = sampler_.modules(known.pid, RemoteAddress(news.origin));
  }
  emit_(std::move(news));
}

ContentionSeen ContentionProfiler::news_of(uint32_t entry, const KnownLock& lock) const {
  ContentionSeen news;
  news.entry = entry;
  news.pid = lock.pid;
  news.process = lock.process;
  news.address = lock.address;
  news.kind = lock.kind;
  return news;
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

// Each wait that lasts is sampled whenever it has become twice as long.
void ContentionProfiler::poll_waits() {
  const uint64_t long_wait = clock_.ticks(kLongWait);
  const uint64_t now = clock_.now();
  unsigned samples = 0;
  const uint32_t used = threads_used(segment_);
  for (uint32_t i = 0; i < used && samples < kMostSamples; ++i) {
    const contract::ThreadRecord& record = segment_.threads[i];
    if (record.state.load() != static_cast<uint32_t>(contract::ThreadState::kLive)) continue;
    const auto call = view_call(record.call);
    if (!call || !waits_for_lock(*call) || now < call->entered + long_wait) continue;
    const auto shown =
        shown_.find({record.pid.load(), call->arguments[0] & contract::kAddressMask});
    if (shown == shown_.end()) continue;
    Wait& wait = waits_[i];
    if (wait.entered != call->entered) wait = {call->entered};
    if (wait.sampled != 0 && now - call->entered < 2 * (wait.sampled - call->entered)) continue;
    ++samples;
    if (sample_wait(i, *call, wait, shown->second)) {
      wait.sampled = now;
      wait.misses = 0;
    } else {
      ++wait.misses;
    }
  }
}

bool ContentionProfiler::sample_wait(uint32_t index, const CallView& call, const Wait& wait,
                                     uint32_t entry) {
  const contract::ThreadRecord& record = segment_.threads[index];
  const int pid = record.pid.load();
  const uint64_t weight = clock_.now() - (wait.sampled != 0 ? wait.sampled : call.entered);
  const int owner = owner_of(record.process.load(), pid, call);
  const auto held_by = owner > 0 ? sample_of_owner(pid, owner) : nullptr;
  // A thread that is ready to run, but has no CPU, can't be paused. Others never can.
  const bool is_unread = held_by && !held_by->snapshot;
  if (is_unread && wait.misses < kMostMisses) return false;
  const auto sample = sample_of(index);
  const bool waits_still = sample->source == Sample::Source::kRecord && sample->snapshot &&
                           sample->recorded.same_call(call);
  if (!waits_still) return true;
  const bool still_holds = held_by && owner_of(record.process.load(), pid, call) == owner;
  ContentionSeen news = news_of(entry, known_[entry]);
  news.wait.emplace();
  news.wait->waiter = sample;
  if (still_holds && !is_unread) news.wait->owner = held_by;
  news.wait->weight = clock_.duration(weight);
  emit_(std::move(news));
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

void ContentionProfiler::emit_totals() {
  clock_.refine();
  for (const auto& [index, known] : known_) {
    const ContendedLock& entry = segment_.contended[index];
    ContentionSeen news = news_of(index, known);
    ContentionSeen::Totals& totals = news.totals.emplace();
    totals.waits = entry.waits.load();
    totals.total = clock_.duration(entry.total_ticks.load());
    totals.longest = clock_.duration(entry.longest_ticks.load());
    const uint64_t whole = entry.hold_ticks.load();
    const uint64_t part = entry.hold_part_ticks.load();
    totals.hold_known = whole != 0 || part != 0;
    totals.hold_is_part = part > whole;
    totals.longest_hold = clock_.duration(std::max(whole, part));
    for (const contract::ContentionSite& site : entry.sites) {
      totals.places.push_back({site.call_site.load(), site.waits.load(),
                               clock_.duration(site.total_ticks.load()),
                               clock_.duration(site.longest_ticks.load())});
    }
    emit_(std::move(news));
  }
}

void ContentionProfiler::add_losses(SessionEnd& end) const {
  end.losses.corrupt += failures_;
  end.losses.lock_waits += segment_.header.contended_missed.load();
}

}  // namespace tailback
