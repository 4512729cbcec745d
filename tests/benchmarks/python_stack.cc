// What reading the Python stack of a thread costs, as a sample does it: the thread stands still,
// the process is known. Of each Python that the machine has. The counter is the stack's frames.
//
// Gather is the part for which a running thread is held.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runtime/interpreters/python_processes.h"
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
    for (auto _ : state) {
      const auto found = target.processes.gather(target.running.pid(), thread.tid);
      if (!found || !found->gathered.failure.empty()) {
        state.SkipWithError("not read");
        break;
      }
      if (decoded) benchmark::DoNotOptimize(decode(*found));
    }
    state.counters["frames"] = static_cast<double>(frames);
    return;
  }
  state.SkipWithError("no such stack");
}

// Once for all: what 50,000 stacks leave behind.
void say_growth(Target& target) {
  if (target.running.threads().empty()) return;
  const auto resident = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const int tid = target.running.threads()[9].tid;
  const auto many = [&](int count) {
    for (int i = 0; i < count; ++i) {
      if (const auto found = target.processes.gather(target.running.pid(), tid)) decode(*found);
    }
  };
  many(1000);
  const long before = resident();
  many(50000);
  std::printf("50,000 stacks: %ld KiB more\n", resident() - before);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string version : {"3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"}) {
    const std::string command = python_command(version);
    if (command.empty()) continue;
    Target& target = *targets.emplace_back(std::make_unique<Target>(command));
    const auto add = [&](const std::string& name, size_t frames, bool decoded) {
      benchmark::RegisterBenchmark((name + "/" + version).c_str(), [&target, frames, decoded](
                                                                       benchmark::State& state) {
        read(state, target, frames, decoded);
      })->Unit(benchmark::kMicrosecond);
    };
    add("Gather", 17, false);
    add("Read", 17, true);
    add("Read", 905, true);
  }
  benchmark::RunSpecifiedBenchmarks();
  if (!targets.empty()) say_growth(*targets.front());
  return 0;
}
