// The analyst's part in coroutines that were never awaited.
#include <cstring>

#include "runtime/analysis/analyst.h"
#include "runtime/explain/never_awaited.h"

namespace tailback {

namespace {

constexpr size_t kMostPlaces = 10000;  // that are told apart

}  // namespace

std::optional<NeverAwaited> Analyst::read_never_awaited(const FindingSeen& observation) {
  for (const FindingPart& part : observation.parts) {
    const std::string bytes = bytes_of(part);
    if (part.kind == contract::BlockKind::kText) return read_python_warning(bytes);
    if (part.kind != contract::BlockKind::kStackCopy) continue;
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
    const RawStack raw = reader_.unwinder().unwind(snapshot);
    NeverAwaited found;
    found.stack = reader_.symbolizer().symbolize(observation.pid, *observation.modules, raw);
    found.stack_complete = raw.complete;
    strip_recorder(found.stack);
    name_coroutine(found);
    return found;
  }
  return std::nullopt;
}

// Each place once, then counted.
void Analyst::report_never_awaited(const FindingSeen& observation) {
  std::optional<NeverAwaited> found = read_never_awaited(observation);
  if (!found) {
    ++failures_;
    return;
  }
  if (found->coroutine.empty()) {
    ++never_awaited_counts_.unread;
    return;
  }
  found->time = observation.time;
  found->pid = observation.pid;
  found->tid = observation.tid;
  found->process = observation.process;
  found->thread = observation.thread;
  explain(*found);
  if (never_awaited_.size() >= kMostPlaces || !never_awaited_.insert(found->fingerprint).second) {
    ++never_awaited_counts_.repeated;
    return;
  }
  ++never_awaited_counts_.told;
  reporter_.never_awaited(*found);
}

}  // namespace tailback
