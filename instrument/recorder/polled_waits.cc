#include "instrument/recorder/polled_waits.h"

#include "instrument/contract/wait_key.h"

namespace tailback {

using contract::ThreadRecord;
using contract::WaitSite;

namespace {

// What the waits at a site wait for.
struct KnownSet {
  uint64_t key = 0;
  uint64_t stack_pointer = 0;
  uint64_t tick = 0;
  uint64_t reads = 0;
  PolledSet last;
  PolledSet always;  // what all that were read have in common
};
__thread KnownSet known_sets[contract::kWaitSites];

// The part of the threshold for which a set is taken to be as it was.
constexpr uint64_t kSetAge = 16;
// So often a descriptor has been in the set before it is one of the loop's own.
constexpr uint64_t kLeastReads = 8;

const KnownSet* known_set_of(uint64_t key) {
  for (const KnownSet& known : known_sets) {
    if (known.key == key) return &known;
  }
  return nullptr;
}

bool has_own(const KnownSet& known) {
  return known.reads >= kLeastReads && !known.always.is_empty();
}

// What the site of this key waits for, if a wait in `frame` may be one within an iteration that is
// in progress there; else nullptr.
// A wait at the same depth is nearly always the loop's own, so it is asked for seldom.
const KnownSet* outer_set(const ThreadRecord& record, uint64_t key, uint64_t frame,
                          bool may_be_at_same_depth) {
  for (const WaitSite& site : record.wait_sites) {
    if (site.key.load(std::memory_order_relaxed) != key) continue;
    const bool is_at_same_depth = frame == site.stack_pointer;
    if (frame > site.stack_pointer || (is_at_same_depth && !may_be_at_same_depth)) return nullptr;
    if (site.iteration_begin.load(std::memory_order_relaxed) == 0) return nullptr;
    const KnownSet* known = known_set_of(key);
    if (!known || known->stack_pointer != site.stack_pointer || known->last.is_empty()) {
      return nullptr;
    }
    const bool is_established =
        site.iterations.load(std::memory_order_relaxed) >= contract::kEstablishedIterations &&
        has_own(*known);
    return !is_at_same_depth || is_established ? known : nullptr;
  }
  return nullptr;
}

// What a nested run of the loop would wait for, too. Connections come and go, and a callback may
// wait for one of them alone, or for a new descriptor with the number of one that it has closed. A
// loop may leave out its own for a while, but not in a callback.
const PolledSet& own_descriptors(const KnownSet& outer, uint64_t frame) {
  return frame < outer.stack_pointer && has_own(outer) ? outer.always : outer.last;
}

bool has_epolls(const ThreadRecord& record) {
  for (const WaitSite& site : record.wait_sites) {
    if (contract::is_descriptor_key(site.key.load(std::memory_order_relaxed))) return true;
  }
  return false;
}

uint32_t epolls_in(const ThreadRecord& record, const PolledSet& set) {
  uint32_t epolls = 0;
  for (uint32_t i = 0; i < contract::kWaitSites; ++i) {
    const uint64_t key = record.wait_sites[i].key.load(std::memory_order_relaxed);
    if (contract::is_descriptor_key(key) && set.has(contract::descriptor_of_key(key))) {
      epolls |= 1u << i;
    }
  }
  return epolls;
}

}  // namespace

PolledWait::PolledWait(const CallScope& scope, Function function, uint64_t call_site,
                       uint64_t frame)
    : record_(scope.record()),
      function_(function),
      call_site_(call_site),
      frame_(frame),
      entered_(scope.entered()),
      key_(contract::call_site_key(call_site)) {
  if (!record_) return;
  const KnownSet* known = known_set_of(key_);
  const uint64_t age = segment->header.threshold_ticks.load(std::memory_order_relaxed) / kSetAge;
  is_due_ = !known || known->stack_pointer != frame || entered_ - known->tick > age;
  depends_on_set_ = outer_set(*record_, key_, frame, is_due_) != nullptr || has_epolls(*record_);
}

void PolledWait::resolve(const PolledSet& set) {
  for (uint64_t nesting = 1; nesting <= contract::kMostNesting; ++nesting) {
    const KnownSet* outer = outer_set(*record_, key_, frame_, is_due_);
    if (!outer || set.shares_any(own_descriptors(*outer, frame_))) break;
    if (frame_ == outer->stack_pointer && !outer->always.has_open(function_)) break;
    key_ = contract::nested_call_site_key(call_site_, nesting);
    is_due_ = true;
  }
  epolls_ = epolls_in(*record_, set);
}

void PolledWait::remember(const PolledSet& set) const {
  KnownSet* place = &known_sets[0];
  for (KnownSet& known : known_sets) {
    if (known.key == key_) {
      place = &known;
      break;
    }
    if (known.tick < place->tick) place = &known;
  }
  const bool is_same = place->key == key_ && place->stack_pointer == frame_;
  place->key = key_;
  place->stack_pointer = frame_;
  place->tick = entered_;
  place->reads = is_same ? place->reads + 1 : 1;
  place->last = set;
  if (!is_same) place->always = set;
  place->always.keep_common(set);
}

}  // namespace tailback
