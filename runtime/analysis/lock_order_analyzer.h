// The order in which the threads of each process take locks: makes a report of each cycle in it
// that can deadlock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/detectors/observation.h"
#include "runtime/locks/lock_graph.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/values/session.h"

namespace tailback {

bool has_ended(int pid);

class LockOrderAnalyzer {
 public:
  static constexpr size_t kMostPrograms = 256;  // of which the orders are remembered

  LockOrderAnalyzer(StackReader& reader, Reporter& reporter,
                    std::function<bool(int pid)> process_has_ended = has_ended)
      : reader_(reader), reporter_(reporter), has_ended_(std::move(process_has_ended)) {}

  void analyze(const AcquisitionSeen& seen);

  void add_counts(SessionEnd& end) const;

 private:
  // A process may execute several programs.
  struct Program {
    LockGraph graph;
    std::shared_ptr<const ModuleMap> modules;       // the latest that was seen
    std::map<std::vector<uint64_t>, uint64_t> met;  // cycles by their locks, or these's origins
    uint64_t last_tick = 0;
  };

  Program& program_of(const AcquisitionSeen& seen);
  void make_room();
  void consider(const AcquisitionSeen& seen, Program& program, const Cycle& cycle);
  // Whether all that was seen at the lock's address was one lock.
  bool is_one_lock(const AcquisitionSeen& seen, const Program& program, const LockUse& use);
  LockOrder read(int pid, const ModuleMap& modules, const Cycle& cycle);
  LockStep read_step(int pid, const ModuleMap& modules, const CycleStep& step);

  StackReader& reader_;
  Reporter& reporter_;
  std::function<bool(int)> has_ended_;
  std::map<std::pair<int, uint32_t>, Program> programs_;  // by pid and generation
  Counts counts_;
  // Of programs that are forgotten: acquisitions that their graphs had no room for.
  uint64_t left_out_ = 0;
  uint64_t forgotten_programs_ = 0;
};

}  // namespace tailback
