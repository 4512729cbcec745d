#include "runtime/session/findings.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tailback {

using contract::Finding;
using contract::FindingBlock;
using contract::FindingState;

namespace {

constexpr unsigned kLooksPerSearch = 256;

FindingState state_of(const Finding& finding) {
  return static_cast<FindingState>(finding.state.load(std::memory_order_acquire));
}

bool is_known(uint32_t kind) {
  return kind >= static_cast<uint32_t>(contract::BlockKind::kReport) &&
         kind <= static_cast<uint32_t>(contract::BlockKind::kThreadUsed);
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

std::vector<Finding*> Findings::waiting() {
  std::vector<Finding*> all;
  if (++looks_ % kLooksPerSearch == 0) free_abandoned();
  if (segment_.header.findings_told.load(std::memory_order_acquire) == released_) return all;
  for (Finding& finding : segment_.findings) {
    if (state_of(finding) == FindingState::kFilled) all.push_back(&finding);
  }
  std::sort(all.begin(), all.end(),
            [](const Finding* a, const Finding* b) { return a->tick < b->tick; });
  return all;
}

void Findings::release(Finding& finding) {
  ++released_;
  finding.state.store(static_cast<uint32_t>(FindingState::kFree), std::memory_order_release);
}

void Findings::free_abandoned() {
  for (Finding& finding : segment_.findings) {
    if (state_of(finding) != FindingState::kClaimed) continue;
    const int pid = finding.pid.load();
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    finding.state.store(static_cast<uint32_t>(FindingState::kFree), std::memory_order_release);
    ++abandoned_;
  }
}

uint64_t Findings::lost() const {
  return segment_.header.findings_missed.load() + abandoned_;
}

}  // namespace tailback
