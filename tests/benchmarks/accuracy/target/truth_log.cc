#include "tests/benchmarks/accuracy/target/truth_log.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/benchmarks/accuracy/target/event_loop.h"

namespace tailback::accuracy {
namespace {

using nlohmann::json;

double ms(int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

// What is to be added to CLOCK_MONOTONIC to have the time since 1970.
int64_t wall_clock_offset() {
  timespec wall{};
  clock_gettime(CLOCK_REALTIME, &wall);
  return static_cast<int64_t>(wall.tv_sec) * 1'000'000'000 + wall.tv_nsec - now_ns();
}

json part_json(const StallPart& part) {
  return {{"causes", part.kind->causes},
          {"function", part.kind->name},
          {"length_ms", ms(part.length_ns)},
          {"runnable_ms", ms(part.runnable_ns)}};
}

}  // namespace

void TruthLog::add_loop(std::string_view kind, int tid, uint64_t iterations,
                        const std::vector<TrueIteration>& long_iterations) {
  const int64_t offset = wall_clock_offset();
  const std::lock_guard guard(mutex_);
  lines_ +=
      json{{"type", "loop"}, {"loop", kind}, {"tid", tid}, {"iterations", iterations}}.dump() +
      "\n";
  for (const TrueIteration& iteration : long_iterations) {
    json parts = json::array();
    for (const StallPart& part : iteration.parts) parts.push_back(part_json(part));
    lines_ += json{{"type", "iteration"},
                   {"loop", kind},
                   {"tid", tid},
                   {"number", iteration.number},
                   {"group", iteration.group},
                   {"begin_ms", ms(iteration.begin_ns + offset)},
                   {"length_ms", ms(iteration.length_ns)},
                   {"on_cpu_ms", ms(iteration.spent.on_cpu_ns)},
                   {"runnable_ms", ms(iteration.spent.runnable_ns)},
                   {"parts", parts}}
                  .dump() +
              "\n";
  }
}

void TruthLog::add_lacking(const std::vector<std::string>& reasons) {
  const std::lock_guard guard(mutex_);
  for (const std::string& reason : reasons) {
    lines_ += json{{"type", "lacking"}, {"reason", reason}}.dump() + "\n";
  }
}

bool TruthLog::write(const std::string& path) const {
  std::ofstream file(path);
  file << lines_ << std::flush;
  return file.good();
}

}  // namespace tailback::accuracy
