// What reading the JavaScript stack of a thread costs, as a sample does it: the thread stands
// still, the process and its scripts are known. Of each Node that the machine has. The counter is
// the frames that were found. The stacks are those of tests/unit/targets/node_frames.js.
//
// Copy is the part for which a running thread is held.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/interpreters/v8/processes.h"
#include "tests/benchmarks/memory_growth.h"
#include "tests/unit/node_command.h"
#include "tests/unit/node_versions.h"
#include "tests/unit/running_node.h"

namespace {

using namespace tailback;

struct Target {
  explicit Target(const std::string& command) : running(command, "main") {
    processes.prepare(running.pid(), running.pid(), running.modules());
    for (Snapshot& taken : running.snapshots())
      if (taken.tid == running.pid()) snapshot = std::move(taken);
  }
  RunningNode running;
  V8Processes processes;
  Snapshot snapshot;
};

void read(benchmark::State& state, Target& target, bool decoded) {
  const auto checked =
      target.processes.copy(target.running.pid(), target.snapshot.tid, &target.snapshot);
  const size_t frames = checked ? checked->decode().frames.size() : 0;
  if (frames == 0) state.SkipWithError("not read");
  for (auto _ : state) {
    const auto copy =
        target.processes.copy(target.running.pid(), target.snapshot.tid, &target.snapshot);
    if (!copy) {
      state.SkipWithError("not read");
      break;
    }
    if (decoded) benchmark::DoNotOptimize(copy->decode());
  }
  state.counters["frames"] = static_cast<double>(frames);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string& version : kNodeVersions) {
    const std::string command = node_command(version);
    if (command.empty()) continue;
    Target& target = *targets.emplace_back(std::make_unique<Target>(command));
    for (const bool decoded : {false, true}) {
      benchmark::RegisterBenchmark(
          ((decoded ? "Read/" : "Copy/") + version).c_str(),
          [&target, decoded](benchmark::State& state) { read(state, target, decoded); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  if (targets.empty()) return 0;
  Target& first = *targets.front();
  say_growth([&] {
    const auto copy =
        first.processes.copy(first.running.pid(), first.snapshot.tid, &first.snapshot);
    if (copy) copy->decode();
  });
  return 0;
}
