// What reading the Python stack of a thread costs, as a sample does it: the thread stands still,
// the process is known. Of each Python that the machine has. The counter is the stack's frames.
//
// Copy is the part for which a running thread is held.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/interpreters/python/processes.h"
#include "tests/benchmarks/memory_growth.h"
#include "tests/unit/python_versions.h"
#include "tests/unit/running_python.h"

namespace {

using namespace tailback;

struct Target {
  explicit Target(const std::string& command) : running(command) {
    for (const PythonImage::Thread& thread : running.threads())
      processes.prepare(running.pid(), thread.tid, running.modules());
  }
  RunningPython running;
  PythonProcesses processes;
};

void read(benchmark::State& state, Target& target, size_t frames, bool decoded) {
  for (const PythonImage::Thread& thread : target.running.threads()) {
    if (thread.frames.size() != frames) continue;
    const auto checked = target.processes.copy(target.running.pid(), thread.tid, nullptr);
    if (!checked || checked->decode().frames.size() != frames) break;
    for (auto _ : state) {
      const auto copy = target.processes.copy(target.running.pid(), thread.tid, nullptr);
      if (!copy) {
        state.SkipWithError("not read");
        break;
      }
      if (decoded) benchmark::DoNotOptimize(copy->decode());
    }
    state.counters["frames"] = static_cast<double>(frames);
    return;
  }
  state.SkipWithError("no such stack");
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string& version : kPythonVersions) {
    const std::string command = python_command(version);
    if (command.empty()) continue;
    Target& target = *targets.emplace_back(std::make_unique<Target>(command));
    const auto add = [&](const std::string& name, size_t frames, bool decoded) {
      benchmark::RegisterBenchmark((name + "/" + version).c_str(), [&target, frames, decoded](
                                                                       benchmark::State& state) {
        read(state, target, frames, decoded);
      })->Unit(benchmark::kMicrosecond);
    };
    add("Copy", 17, false);
    add("Read", 17, true);
    add("Read", 905, true);
  }
  benchmark::RunSpecifiedBenchmarks();
  if (targets.empty() || targets.front()->running.threads().empty()) return 0;
  Target& first = *targets.front();
  const int tid = first.running.threads()[9].tid;
  say_growth([&] {
    if (const auto copy = first.processes.copy(first.running.pid(), tid, nullptr)) copy->decode();
  });
  return 0;
}
