#include "runtime/segment/findings.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tailback {

using contract::Finding;
using contract::FindingBlock;
using contract::FindingState;

namespace {

constexpr unsigned kPollsPerSearch = 256;

FindingState state_of(const Finding& finding) {
  return static_cast<FindingState>(finding.state.load(std::memory_order_acquire));
}

bool is_known(uint32_t kind) {
  return kind >= static_cast<uint32_t>(contract::BlockKind::kReport) &&
         kind <= static_cast<uint32_t>(contract::BlockKind::kText);
}

}  // namespace

std::vector<FindingPart> read_parts(const char* data, size_t size, bool& whole) {
  std::vector<FindingPart> parts;
  size_t at = 0;
  while (size - at >= sizeof(FindingBlock)) {
    FindingBlock block;
    std::memcpy(&block, data + at, sizeof block);
    at += sizeof block;
    if (!is_known(block.kind) || block.frames > (size - at) / sizeof(uint64_t)) {
      whole = false;
      return parts;
    }
    FindingPart part;
    part.kind = static_cast<contract::BlockKind>(block.kind);
    part.flags = block.flags;
    part.thread = block.thread;
    part.parent = block.parent;
    part.address = block.address;
    part.start = block.start;
    part.size = block.size;
    part.number = block.number;
    part.text.assign(block.text, strnlen(block.text, sizeof block.text));
    part.frames.resize(block.frames);
    std::memcpy(part.frames.data(), data + at, block.frames * sizeof(uint64_t));
    at += block.frames * sizeof(uint64_t);
    parts.push_back(std::move(part));
  }
  whole = at == size;
  return parts;
}

std::string bytes_of(const FindingPart& part) {
  const size_t most = part.frames.size() * sizeof(uint64_t);
  std::string bytes(std::min<uint64_t>(part.size, most), '\0');
  std::memcpy(bytes.data(), part.frames.data(), bytes.size());
  return bytes;
}

std::vector<Finding*> Findings::waiting() {
  std::vector<Finding*> all;
  // A writer may have died before it said that it was done.
  const bool searches = ++polls_ % kPollsPerSearch == 0;
  if (searches) free_abandoned();
  const uint64_t told = segment_.header.findings_published.load(std::memory_order_acquire);
  if (told == released_ && !searches) return all;
  for (Finding& finding : segment_.findings) {
    if (state_of(finding) == FindingState::kFilled) all.push_back(&finding);
  }
  // A writer that died before it said so, or whose finding came to nothing, leaves the counts
  // apart.
  if (all.empty()) released_ = told;
  std::sort(all.begin(), all.end(),
            [](const Finding* a, const Finding* b) { return a->tick < b->tick; });
  return all;
}

void Findings::release(Finding& finding) {
  ++released_;
  finding.pid.store(0, std::memory_order_relaxed);
  finding.state.store(static_cast<uint32_t>(FindingState::kFree), std::memory_order_release);
}

// A writer names itself the moment after it has claimed a place: one that has not from one search
// to the next died between.
void Findings::free_abandoned() {
  for (uint32_t i = 0; i < contract::kFindings; ++i) {
    Finding& finding = segment_.findings[i];
    const bool is_claimed = state_of(finding) == FindingState::kClaimed;
    const int pid = finding.pid.load();
    const bool was_nameless = nameless_[i];
    nameless_[i] = is_claimed && pid <= 0;
    if (!is_claimed) continue;
    const bool has_died = pid > 0 ? kill(pid, 0) != 0 && errno == ESRCH : was_nameless;
    if (!has_died) continue;
    finding.pid.store(0, std::memory_order_relaxed);
    finding.state.store(static_cast<uint32_t>(FindingState::kFree), std::memory_order_release);
    ++abandoned_;
  }
}

uint64_t Findings::lost() const {
  return segment_.header.findings_missed.load() + abandoned_;
}

}  // namespace tailback
