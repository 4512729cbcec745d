#include "runtime/detectors/finding_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/capture/module_map.h"

namespace tailback {

using contract::Finding;

void FindingReader::poll() {
  for (Finding* finding : findings_.waiting()) {
    FindingSeen seen = read(*finding);
    findings_.release(*finding);
    emit_(std::move(seen));
  }
}

FindingSeen FindingReader::read(const Finding& finding) {
  ProcSource& proc = input_.proc();
  FindingSeen seen;
  seen.kind = static_cast<contract::FindingKind>(finding.kind);
  seen.time = input_.clock().wall_time(finding.tick);
  seen.pid = finding.pid.load(std::memory_order_relaxed);
  seen.tid = finding.tid;
  // A copy: the target may go on writing.
  std::vector<char> data(std::min(finding.size, contract::kFindingBytes));
  std::memcpy(data.data(), finding.data, data.size());
  seen.parts = read_parts(data.data(), data.size(), seen.whole);
  seen.modules = input_.sampler().modules(seen.pid, kNowhere);
  const ProcessFacts* process = processes_.find(finding.process);
  const bool is_known = process && process->pid == seen.pid;
  seen.process = is_known ? process->name : proc.comm(seen.pid, seen.pid).value_or("?");
  seen.thread = proc.comm(seen.pid, seen.tid).value_or("");
  return seen;
}

}  // namespace tailback
