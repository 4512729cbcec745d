// What a finding means, and what to do.
#include <fmt/format.h>

#include "runtime/explain/fingerprint.h"
#include "runtime/explain/lock_advice.h"
#include "runtime/thread_sanitizer/race_reader.h"

namespace tailback {
namespace {

constexpr std::string_view kInversion = "lock-order-inversion";

RaceType type_of(const std::string& kind) {
  if (kind.find("race") != std::string::npos || kind.starts_with("heap-use-after-free")) {
    return RaceType::kRace;
  }
  if (kind.find("mutex") != std::string::npos) return RaceType::kMutexMisuse;
  if (kind == "thread-leak") return RaceType::kThreadLeak;
  if (kind.starts_with("signal-unsafe") || kind.starts_with("errno-in-signal")) {
    return RaceType::kSignalUnsafe;
  }
  return RaceType::kOther;
}

std::string advice_on(const Race& race) {
  switch (race.type) {
    case RaceType::kRace: {
      if (race.kind.starts_with("heap-use-after-free")) {
        return "Let nobody free it while others may use it: share it by std::shared_ptr, or join "
               "its users first.";
      }
      if (race.kind.ends_with("vptr")) {
        return "End what uses the object (join its threads) in the most derived destructor, before "
               "its bases are taken apart.";
      }
      const std::string name =
          race.location && !race.location->name.empty() ? race.location->name : std::string("it");
      return fmt::format(
          "Make every access to {} under one mutex (std::scoped_lock), or make it std::atomic; a "
          "sleep or volatile does not order threads.",
          name);
    }
    case RaceType::kMutexMisuse:
      return "Let one thread lock and unlock it (std::scoped_lock does), and let it outlive all of "
             "its users.";
    case RaceType::kThreadLeak:
      return "Join or detach every thread; std::jthread joins by itself.";
    case RaceType::kSignalUnsafe:
      return race.kind.starts_with("errno")
                 ? "Save errno at the handler's beginning and put it back at its end."
                 : "Only set a flag or write to a pipe in the handler (signal-safety(7)), or take "
                   "signals by signalfd in the loop.";
    case RaceType::kOther:
      break;
  }
  return {};
}

// The same code in whatever order it met, and whichever of its reads and writes did.
std::string fingerprint_of(const Race& race) {
  std::vector<std::string> places;
  const auto add = [&](const RaceStack& at, std::string_view how) {
    Stall place;
    place.call = BlockedCall{};
    place.call->function = how;
    place.stack = at.stack;
    place.culprit = at.culprit;
    place.process = race.process;
    places.push_back(fingerprint(place));
  };
  for (const RaceAccess& access : race.accesses) add(access.at, "access");
  for (const RaceStack& at : race.stacks) add(at, "at");
  if (places.empty()) {
    for (const RaceThread& thread : race.threads) add(thread.created, "created");
  }
  Stall all;
  all.call = BlockedCall{};
  all.call->function = race.kind;
  return fingerprint(std::move(places), std::move(all));
}

}  // namespace

void explain(Race& race) {
  race.type = type_of(race.kind);
  race.advice = advice_on(race);
  race.fingerprint = fingerprint_of(race);
}

// One stack for each lock: where the next was taken while it was held. With second_deadlock_stack
// two: the other, where it was taken itself, comes behind.
std::optional<LockOrder> as_lock_order(const Race& race) {
  const size_t locks = race.mutexes.size();
  if (race.kind != kInversion || locks < 2 || race.stacks.size() < locks) return std::nullopt;
  const size_t per_lock = race.stacks.size() / locks;
  LockOrder order;
  order.found_by = "ThreadSanitizer";
  order.time = race.time;
  order.pid = race.pid;
  order.process = race.process;
  for (size_t i = 0; i < locks; ++i) {
    const RaceMutex& mutex = race.mutexes[i];
    OrderedLock lock;
    lock.address = mutex.address;
    lock.kind = "mutex";
    lock.name = mutex.name;
    const RaceStack& created = mutex.created;
    if (created.culprit < created.stack.size()) lock.initialised = created.stack[created.culprit];
    order.locks.push_back(std::move(lock));
    LockStep step;
    const RaceStack& taken = race.stacks[i * per_lock];
    step.stack = taken.stack;
    step.culprit = taken.culprit;
    step.held = i;
    step.taken = (i + 1) % locks;
    step.held_for = step.taken_for = "mutex";
    if (per_lock > 1) {
      const RaceStack& held = race.stacks[i * per_lock + 1];
      if (held.culprit < held.stack.size()) step.held_at = held.stack[held.culprit];
    }
    const int id = i < race.used_threads.size() ? race.used_threads[i] : -1;
    for (const RaceThread& thread : race.threads) {
      if (thread.id != id) continue;
      step.tid = thread.tid;
      step.thread = thread.name;
    }
    order.steps.push_back(std::move(step));
  }
  order.advice = lock_order_advice(order);
  order.fingerprint = race.fingerprint;
  return order;
}

}  // namespace tailback
