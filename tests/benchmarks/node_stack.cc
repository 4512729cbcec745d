// What reading the JavaScript stack of a thread costs, as a sample does it: the thread stands
// still, the process and its scripts are known. Of each Node that the machine has. The counter is
// the frames that were found. The stacks are those of tests/unit/targets/node_frames.js.
//
// Gather is the part for which a running thread is held.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/interpreters/v8/processes.h"
#include "tests/benchmarks/memory_growth.h"
#include "tests/unit/node_command.h"
#include "tests/unit/running_node.h"

namespace {

using namespace tailback;

struct Target {
  explicit Target(const std::string& command) : running(command, "main") {
    processes.prepare(running.pid(), running.modules());
    for (Snapshot& taken : running.snapshots())
      if (taken.tid == running.pid()) snapshot = std::move(taken);
  }
  RunningNode running;
  V8Processes processes;
  Snapshot snapshot;
};

void read(benchmark::State& state, Target& target, bool decoded) {
  size_t frames = 0;
  for (auto _ : state) {
    const auto found = target.processes.gather(target.snapshot);
    if (!found || found->gathered.frames.empty()) {
      state.SkipWithError("not read");
      break;
    }
    frames = found->gathered.frames.size();
    if (decoded) benchmark::DoNotOptimize(target.processes.decode(target.running.pid(), *found));
  }
  state.counters["frames"] = static_cast<double>(frames);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string version : {"18", "20", "22", "24"}) {
    const std::string command = node_command(version);
    if (command.empty()) continue;
    Target& target = *targets.emplace_back(std::make_unique<Target>(command));
    for (const bool decoded : {false, true}) {
      benchmark::RegisterBenchmark(
          ((decoded ? "Read/" : "Gather/") + version).c_str(),
          [&target, decoded](benchmark::State& state) { read(state, target, decoded); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  if (targets.empty()) return 0;
  Target& first = *targets.front();
  say_growth([&] {
    if (const auto found = first.processes.gather(first.snapshot))
      first.processes.decode(first.running.pid(), *found);
  });
  return 0;
}
