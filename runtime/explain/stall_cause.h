// Why an iteration was long, and which of its stacks shows it: the one place where both are
// decided.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/explain/cause.h"

namespace tailback {

// A sample of the thread that has a stack.
struct StackEvidence {
  std::optional<Cause> call;  // the cause that its call stands for; nothing if it was in none
  std::string function;       // of that call
  bool held = false;          // it was running
  bool in_fault = false;
  bool has_owners = false;  // those who hold what the call waits for are known
  const std::vector<Frame>* stack = nullptr;
  size_t culprit = 0;
  Nanoseconds weight{};
  std::optional<size_t> callback;  // which of several it is; equal for equal ones
};

struct StallEvidence {
  Evidence facts;
  std::vector<StackEvidence> stacks;
  std::vector<Frame> longest_caller;  // of the call that took most time; stands for a missing stack
};

struct DecidedCause {
  Cause cause = Cause::kUnknown;
  std::optional<size_t> stack;  // index into the stacks; nothing if there are none
};

// By decide_cause(); the stack to blame may then tell more: cause_within_runtime().
DecidedCause cause_of(const StallEvidence& evidence);
// Of one call, whose cause is known but for its stack.
DecidedCause cause_of_call(Cause cause, const std::vector<StackEvidence>& stacks);

}  // namespace tailback
