#include "runtime/detectors/thread_table.h"

#include <algorithm>
#include <utility>

namespace tailback {

ThreadTable::ThreadTable(DetectorInput& input, ProcessList& processes, LoopGlobs globs)
    : segment_(input.segment()),
      proc_(input.proc()),
      processes_(processes),
      loop_names_(std::move(globs)) {}

WatchedThread* ThreadTable::watch(uint32_t index) {
  contract::ThreadRecord& record = segment_.threads[index];
  const uint32_t generation = record.generation.load(std::memory_order_acquire);
  if (index < slots_.size() && slots_[index] && slots_[index]->is_watched &&
      slots_[index]->thread.generation == generation) {
    return &slots_[index]->thread;
  }
  WatchedThread found;
  found.index = index;
  found.generation = generation;
  found.pid = record.pid.load(std::memory_order_relaxed);
  found.tid = record.tid.load(std::memory_order_relaxed);
  found.process = record.process.load(std::memory_order_relaxed);
  found.record = &record;
  // Its process may have attached since the last poll of processes.
  if (!processes_.find(found.process)) processes_.update(false);
  if (found.pid <= 0 || found.tid <= 0 || !processes_.find(found.process)) {
    forget(index);
    return nullptr;
  }
  ++seen_;
  if (index >= slots_.size()) slots_.resize(index + 1);
  if (!slots_[index]) slots_[index] = std::make_unique<Slot>();
  slots_[index]->is_watched = true;
  WatchedThread& thread = slots_[index]->thread = std::move(found);
  read_name(thread);
  return &thread;
}

const WatchedThread* ThreadTable::watched(uint32_t index) const {
  const bool known = index < slots_.size() && slots_[index] && slots_[index]->is_watched;
  return known ? &slots_[index]->thread : nullptr;
}

void ThreadTable::forget(uint32_t index) {
  if (!watched(index)) return;
  note_iterations(slots_[index]->thread);
  slots_[index]->is_watched = false;
}

std::vector<const WatchedThread*> ThreadTable::all() const {
  std::vector<const WatchedThread*> threads;
  for (const auto& slot : slots_) {
    if (slot && slot->is_watched) threads.push_back(&slot->thread);
  }
  return threads;
}

void ThreadTable::note_iterations(const WatchedThread& thread) {
  if (thread.named == LoopChoice::kByBehaviour ||
      thread.record->generation.load(std::memory_order_acquire) != thread.generation) {
    return;
  }
  const std::vector<SiteView> sites = view_sites(*thread.record);
  if (std::any_of(sites.begin(), sites.end(), [](const SiteView& s) { return s.iterations > 0; })) {
    loop_names_.note_iterations(thread.name);
  }
}

std::vector<std::string> ThreadTable::unused_options() {
  for (const WatchedThread* thread : all()) note_iterations(*thread);
  return loop_names_.unused();
}

uint64_t ThreadTable::seen() const {
  const uint64_t all =
      std::max(seen_, segment_.header.threads_attached.load(std::memory_order_relaxed));
  return all - std::min(all, processes_.executions());
}

void ThreadTable::read_name(WatchedThread& thread) {
  if (auto name = proc_.comm(thread.pid, thread.tid)) thread.name = std::move(*name);
  ++thread.name_reads;
  thread.named = loop_names_.choose(thread.name);
  if (thread.named == LoopChoice::kNamed) tell_recorder(thread);
}

void ThreadTable::tell_recorder(const WatchedThread& thread) {
  if (thread.record->generation.load(std::memory_order_acquire) != thread.generation) return;
  thread.record->sites.fetch_or(contract::kNamedLoop, std::memory_order_relaxed);
}

void ThreadTable::take_for_loop(uint32_t index, uint32_t generation) {
  if (!watched(index) || slots_[index]->thread.generation != generation) return;
  WatchedThread& thread = slots_[index]->thread;
  thread.is_condition_loop = true;
  if (thread.choice() == LoopChoice::kNamed) tell_recorder(thread);
}

}  // namespace tailback
