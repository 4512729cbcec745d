// From the parts of a ThreadSanitizer report to what a person reads.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/segment/findings.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/race.h"

namespace tailback {

class RaceReader {
 public:
  explicit RaceReader(StackReader& reader) : reader_(reader) {}

  // Time and process are the caller's to fill in. `addresses_are_its`: the modules lie where they
  // lay in the process; else only a text's frames, which are places in files, have names.
  Race read(int pid, const ModuleMap& modules, const std::vector<FindingPart>& parts,
            bool addresses_are_its = true);

 private:
  RaceStack stack_of(const FindingPart& part);
  // Where a frame that is told by words is mapped, as an address that its call returns to.
  // 0: unknown.
  uint64_t address_of(const Frame& told);
  std::string variable_at(uint64_t address);
  RaceLocation location_of(const FindingPart& part, uint64_t accessed);

  StackReader& reader_;
  int pid_ = 0;
  const ModuleMap* modules_ = nullptr;
  bool addresses_are_its_ = true;
  std::map<std::string, const Mapping*> modules_by_name_;  // the lowest mapping, or nullptr
};

// What ThreadSanitizer calls a lock order inversion, as the order of locks that it is. Nothing: it
// is something else.
std::optional<LockOrder> as_lock_order(const Race& race);

// Sets type, advice and fingerprint by what the rest says.
void explain(Race& race);

}  // namespace tailback
