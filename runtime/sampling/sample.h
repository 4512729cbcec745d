// One reading of a thread: where it stands, in which call, on which stack. Plain values; a sample
// is shared and never changed once taken.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/snapshot.h"
#include "runtime/explain/call_description.h"
#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/lock_state/lock_reading.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/stall.h"

namespace tailback {

struct Sample;

// A look at the thread that holds what another waits for, while that one waits.
struct OwnerSample {
  int pid = 0;
  int tid = 0;  // 0: a thread of the process, not known which
  std::string process;
  std::string thread;
  OwnerState state = OwnerState::kUnknown;
  LockReading lock;                      // that it holds
  std::shared_ptr<const Sample> sample;  // nullptr: there is none
};

// One look at a thread within an iteration.
struct Sample {
  enum class Source {
    kRecord,  // in a recorded call; registers as the recorder took them, unless it was held
    kKernel,  // blocked in what the recorder does not see; only two registers known
    kHold,    // running outside of any recorded call; held
    kNone,    // no stack could be read
  };
  Source source = Source::kNone;
  char state = '?';  // the kernel's letter
  std::optional<CallDescription> call;
  CallView recorded;      // valid for kRecord
  bool held = false;      // it computes; also within a recorded call
  bool in_fault = false;  // blocked by a page fault outside of any call; valid for kKernel
  std::optional<Snapshot> snapshot;
  std::vector<InterpreterStack> interpreted;    // one for each interpreter that the thread runs
  std::string owner_name;                       // of the thread that holds the lock, if known
  std::optional<InterpreterStack> owner_stack;  // what an interpreter runs in that thread
  // Who holds what this thread waits for, who holds what that one waits for, and so on.
  std::vector<OwnerSample> owners;
};

struct WeighedSample {
  std::shared_ptr<const Sample> sample;
  Nanoseconds weight{};  // the time that it stands for
  // The iteration's age since when the thread is known to have been there: that at the call's
  // entry, else that of the look.
  Nanoseconds since{};
};

}  // namespace tailback
