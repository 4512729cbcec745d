// Other processes that keep CPUs busy for as long as this lives.
#pragma once

#include <optional>
#include <vector>

#include "tests/integration/harness/process.h"

namespace tailback::test {

class BusyCpus {
 public:
  // Starts `count` endless loops, on `cpu` alone if given.
  explicit BusyCpus(int count, std::optional<int> cpu = std::nullopt) {
    ProcessOptions options;
    options.command = {"/bin/sh", "-c", "while :; do :; done"};
    options.cpu = cpu;
    for (int i = 0; i < count; ++i) {
      loops_.emplace_back(options);
    }
  }

 private:
  std::vector<Process> loops_;
};

}  // namespace tailback::test
