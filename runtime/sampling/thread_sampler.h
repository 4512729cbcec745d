// What a detector reads of a target's threads and memory: an interface, so that a detector runs
// over a recording in a test as it runs beside a program. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "runtime/explain/call_description.h"
#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/lock_state/lock_reading.h"
#include "runtime/sampling/sample.h"
#include "runtime/segment/record_view.h"

namespace tailback {

class ThreadSampler {
 public:
  virtual ~ThreadSampler() = default;

  // One sample of a thread. `record` is the index of its record; nothing if it has none: then its
  // calls are not known, and it can't be paused.
  virtual std::shared_ptr<Sample> take(std::optional<uint32_t> record, int pid, int tid) = 0;
  // Reads a call that the thread requests to be read: it stands still at the call's end (see
  // contract::ReadRequest). Nothing if it went on meanwhile, or there is none.
  virtual std::shared_ptr<const Sample> take_requested(uint32_t record, int pid, int tid) = 0;
  // The stack of a thread in its wait for events. Valid if the thread is still in it afterwards,
  // which the caller checks.
  virtual std::optional<Snapshot> take_wait(int pid, int tid, const CallView& wait) = 0;
  // What interpreters run in a thread that stands in its wait, as `snapshot` has it. The caller
  // checks likewise.
  virtual std::vector<InterpreterStack> interpreted_at_wait(int pid, int tid,
                                                            const Snapshot& snapshot) = 0;
  // What a poll of one descriptor waits for.
  virtual std::optional<int> polled_descriptor(int pid, const CallView& poll) = 0;

  // What a call waits for of other threads or processes: see read_awaited_lock().
  virtual std::optional<LockReading> awaited_lock(int pid, const CallInProgress& call) = 0;
  // The thread that the lock which a call waits for names as its owner; 0: none.
  virtual int lock_owner(int pid, const CallInProgress& call) = 0;
  // Whether a call that is over might have waited: see is_able_to_block().
  virtual bool is_able_to_block(int pid, const CallInProgress& call) = 0;

  // What the process has mapped, read again if the address lies in no mapping: see ModuleMaps.
  // Empty if it could never be read.
  virtual std::shared_ptr<const ModuleMap> modules(int pid, RemoteAddress address) = 0;
  // Drops what was read of a process that has ended, or executes another program by now.
  virtual void forget(int pid) = 0;
};

}  // namespace tailback
