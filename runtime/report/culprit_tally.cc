#include "runtime/report/culprit_tally.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>

#include "runtime/report/duration_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

// Text kept per culprit is bounded: a target can name its functions a megabyte long.
constexpr size_t kKeptBytes = 1024;
constexpr size_t kCallerBytes = 160;
// What tells fingerprints apart lies within so many frames.
constexpr size_t kCallers = 7;

std::string kept(std::string_view text, size_t bytes = kKeptBytes) {
  return std::string(utf8_prefix(text, bytes));
}

Frame kept(const Frame& frame, size_t bytes = kKeptBytes) {
  Frame copy;
  copy.function = kept(frame.function, bytes);
  copy.file = kept(frame.file, bytes);
  copy.line = frame.line;
  copy.module = kept(frame.module, bytes);
  copy.offset = frame.offset;
  copy.inlined = frame.inlined;
  copy.language = kept(frame.language, bytes);
  return copy;
}

std::vector<Frame> callers_of(const Stall& stall) {
  std::vector<Frame> callers;
  for (size_t i = stall.culprit + 1; i < stall.stack.size() && callers.size() < kCallers; ++i) {
    callers.push_back(kept(stall.stack[i], kCallerBytes));
  }
  return callers;
}

void add_duration(Culprit& culprit, const Stall& stall) {
  ++culprit.count;
  if (stall.state == StallState::kUnfinished) ++culprit.unfinished;
  culprit.total = saturating_sum(culprit.total, stall.duration);
  culprit.longest = std::max(culprit.longest, stall.duration);
}

}  // namespace

std::string culprit_key(const Stall& stall) {
  if (!stall.fingerprint.empty()) return kept(stall.fingerprint);
  const Frame* const frame = culprit_frame(stall);
  if (frame == nullptr) {
    return fmt::format("{}|{}", word(stall.cause), stall.call ? kept(stall.call->function) : "");
  }
  return fmt::format("{}|{}|{}|{}|{}|{:x}", word(stall.cause), kept(frame->function),
                     kept(frame->file), frame->line, kept(frame->module),
                     frame->function.empty() ? frame->offset : 0);
}

const Frame* culprit_frame(const Stall& stall) {
  return stall.culprit < stall.stack.size() ? &stall.stack[stall.culprit] : nullptr;
}

void CulpritTally::add(const Stall& stall) {
  ++stalls_;
  stalled_ = saturating_sum(stalled_, stall.duration);

  std::string key = culprit_key(stall);
  auto it = culprits_.find(key);
  if (it == culprits_.end()) {
    if (culprits_.size() == kCulprits) {
      add_duration(others_, stall);
      return;
    }
    Culprit fresh;
    fresh.fingerprint = kept(stall.fingerprint);
    fresh.cause = stall.cause;
    if (const Frame* const frame = culprit_frame(stall)) {
      fresh.frame = kept(*frame);
      fresh.callers = callers_of(stall);
    }
    if (stall.call) {
      fresh.call = kept(stall.call->function);
      fresh.object = kept(stall.call->object);
    }
    it = culprits_.emplace(std::move(key), std::move(fresh)).first;
  }
  Culprit& culprit = it->second;
  const std::string object = stall.call ? kept(stall.call->object) : std::string();
  if (object != culprit.object) culprit.more_objects = true;
  if (stall.duration > culprit.longest && !object.empty()) culprit.object = object;
  add_duration(culprit, stall);
}

const Culprit* CulpritTally::find(const Stall& stall) const {
  const auto it = culprits_.find(culprit_key(stall));
  return it == culprits_.end() ? nullptr : &it->second;
}

std::vector<const Culprit*> CulpritTally::by_total() const {
  std::vector<const Culprit*> sorted;
  sorted.reserve(culprits_.size());
  for (const auto& [key, culprit] : culprits_) sorted.push_back(&culprit);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Culprit* a, const Culprit* b) { return a->total > b->total; });
  return sorted;
}

}  // namespace tailback
