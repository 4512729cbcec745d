// The observer's end of what code inside a target finds out by itself (finding_contract.h).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "instrument/contract/record_contract.h"
#include "runtime/values/frame.h"

namespace tailback {

struct FindingPart {
  contract::BlockKind kind = contract::BlockKind::kReport;
  uint32_t flags = 0;  // contract::BlockFlags
  int thread = 0;
  int parent = 0;
  uint64_t address = 0;
  uint64_t start = 0;
  uint64_t size = 0;
  int64_t number = 0;
  std::string text;
  std::vector<uint64_t> frames;  // innermost first; each what its call returns to
  // Of a report that is read from its text: frames as they are told there, each with the last part
  // of its module's path and an offset into it, and the name of a variable.
  std::vector<Frame> told;
  std::string name;
};

// What a part of bytes holds: kStackCopy, kText.
std::string bytes_of(const FindingPart& part);

// The blocks as far as they make sense: what follows one that doesn't is left out, and `whole` is
// false.
std::vector<FindingPart> read_parts(const char* data, size_t size, bool& whole);

// Not thread-safe.
class Findings {
 public:
  explicit Findings(contract::Segment& mapped) : segment_(mapped) {}

  // Those that wait to be read, and stay so until they are released. Costs one look at a word if
  // there are none. Places whose writers have died are freed now and then, and counted.
  std::vector<contract::Finding*> waiting();
  // Lets the writer, if it waits, go on.
  void release(contract::Finding& finding);

  // Findings that are lost.
  uint64_t lost() const;

 private:
  void free_abandoned();

  contract::Segment& segment_;
  uint64_t released_ = 0;
  std::array<bool, contract::kFindings> nameless_{};
  uint64_t abandoned_ = 0;
  unsigned polls_ = 0;
};

}  // namespace tailback
