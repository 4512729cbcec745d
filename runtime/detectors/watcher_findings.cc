// What code inside a target has found out by itself, read while the target still has its maps.
#include <cstring>
#include <utility>

#include "runtime/detectors/watcher.h"

namespace tailback {

using contract::Finding;
using std::chrono::milliseconds;

void Watcher::poll_findings() {
  for (Finding* finding : findings_.waiting()) {
    FindingSeen observation;
    observation.kind = static_cast<contract::FindingKind>(finding->kind);
    observation.time = clock_.wall_time(finding->tick);
    observation.pid = finding->pid.load(std::memory_order_relaxed);
    observation.tid = finding->tid;
    // A copy: the target may go on writing.
    std::vector<char> data(std::min(finding->size, contract::kFindingBytes));
    std::memcpy(data.data(), finding->data, data.size());
    observation.parts = read_parts(data.data(), data.size(), observation.whole);
    observation.modules = sampler_.modules(observation.pid, milliseconds(50));
    const ProcessFacts* process = processes_.find(finding->process);
    const bool is_known = process && process->pid == observation.pid;
    observation.process =
        is_known ? process->name : proc_.comm(observation.pid, observation.pid).value_or("?");
    observation.thread = proc_.comm(observation.pid, observation.tid).value_or("");
    findings_.release(*finding);
    emit_(std::move(observation));
  }
}

}  // namespace tailback
