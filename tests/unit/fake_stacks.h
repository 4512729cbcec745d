// Stacks that a test gives, in place of those of processes: for the analyzers.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/sampling/stack_reader.h"
#include "runtime/sampling/stack_source.h"

namespace tailback {

// A snapshot's instruction pointer says which stack it has, a call site which frames. `callers` has
// the addresses of a stack's further frames, for those who read addresses.
class FakeStacks final : public StackSource {
 public:
  RawStack unwind(const Snapshot& snapshot) override {
    RawStack stack;
    RawFrame frame;
    frame.address = RemoteAddress(snapshot.registers.context.instruction_pointer);
    stack.frames.push_back(frame);
    for (const uint64_t caller : callers[frame.address.value]) {
      frame.address = RemoteAddress(caller);
      stack.frames.push_back(frame);
    }
    stack.complete = !incomplete;
    ++unwound;
    return stack;
  }
  std::vector<Frame> symbolize(int, const ModuleMap&, const RawStack& stack) override {
    return frames[stack.frames.front().address.value];
  }
  std::vector<Frame> symbolize(int, const ModuleMap&, const RawFrame& frame) override {
    return frames[frame.address.value];
  }
  std::optional<std::string> variable_at(int, const ModuleMap&, RemoteAddress address) override {
    const auto found = variables.find(address.value);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  bool has_cut_perf_map(int) override { return false; }

  std::map<uint64_t, std::vector<Frame>> frames;
  std::map<uint64_t, std::vector<uint64_t>> callers;
  std::map<uint64_t, std::string> variables;
  bool incomplete = false;
  unsigned unwound = 0;
};

// Of functions of the program, innermost first.
inline std::vector<Frame> stack_of(std::initializer_list<const char*> functions) {
  std::vector<Frame> frames;
  for (const char* function : functions) {
    Frame frame;
    frame.function = function;
    frame.module = "/srv/app";
    frames.push_back(frame);
  }
  return frames;
}

// A StackReader over stacks that the test can still change.
struct FakeReader {
  FakeStacks* stacks = new FakeStacks;
  StackReader reader{CulpritRule{}, std::unique_ptr<StackSource>(stacks)};
};

inline Snapshot snapshot_at(uint64_t stack) {
  Snapshot snapshot;
  snapshot.registers.context.instruction_pointer = stack;
  snapshot.modules = std::make_shared<const ModuleMap>();
  return snapshot;
}

}  // namespace tailback
