#include "runtime/analysis/never_awaited_analyzer.h"

#include <cstring>
#include <stdexcept>

#include "runtime/explain/never_awaited.h"

namespace tailback {

namespace {

constexpr size_t kMostPlaces = 10000;  // that are told apart

}  // namespace

std::optional<NeverAwaited> NeverAwaitedAnalyzer::read_stack(const FindingSeen& observation,
                                                             const FindingPart& part) {
  const std::string bytes = bytes_of(part);
  Snapshot snapshot;
  if (bytes.size() < sizeof snapshot.registers.context) return std::nullopt;
  snapshot.pid = observation.pid;
  snapshot.tid = observation.tid;
  std::memcpy(&snapshot.registers.context, bytes.data(), sizeof snapshot.registers.context);
  const std::string_view copy = std::string_view(bytes).substr(sizeof snapshot.registers.context);
  snapshot.stack_begin = RemoteAddress(part.address);
  snapshot.stack.resize(copy.size());
  std::memcpy(snapshot.stack.data(), copy.data(), copy.size());
  snapshot.modules = observation.modules;
  const RawStack raw = reader_.source().unwind(snapshot);
  NeverAwaited found;
  found.stack = reader_.source().symbolize(observation.pid, *observation.modules, raw);
  found.stack_complete = raw.complete;
  strip_recorder(found.stack);
  name_coroutine(found);
  return found;
}

std::optional<NeverAwaited> NeverAwaitedAnalyzer::read(const FindingSeen& observation) {
  for (const FindingPart& part : observation.parts) {
    if (part.kind == contract::BlockKind::kText) return read_python_warning(bytes_of(part));
    if (part.kind == contract::BlockKind::kStackCopy) return read_stack(observation, part);
  }
  return std::nullopt;
}

void NeverAwaitedAnalyzer::analyze(const FindingSeen& observation) {
  std::optional<NeverAwaited> found = read(observation);
  if (!found) throw std::runtime_error("a finding that is no coroutine");
  if (found->coroutine.empty()) {
    ++counts_.lost;
    return;
  }
  found->time = observation.time;
  name_thread(observation, *found);
  explain(*found);
  if (fingerprints_.size() >= kMostPlaces || !fingerprints_.insert(found->fingerprint).second) {
    ++counts_.repeated;
    return;
  }
  ++counts_.reported;
  reporter_.report(*found);
}

}  // namespace tailback
