// A reporter renders plain values somewhere. All calls come from one thread, in the order: one
// session, any number of stalls, notes and the rest, one end. Reporters do not throw from these
// calls: what can't be written is counted and said, and the session goes on.
#pragma once

#include "runtime/values/blocking_call.h"
#include "runtime/values/contention.h"
#include "runtime/values/deadlock.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/never_awaited.h"
#include "runtime/values/note.h"
#include "runtime/values/race.h"
#include "runtime/values/session.h"
#include "runtime/values/stall.h"

namespace tailback {

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void session(const SessionStart& start) = 0;
  virtual void stall(const Stall& stall) = 0;
  virtual void note(const Note& note) = 0;
  // One call, whenever there is one; behind a BlockingCallSummingReporter the first of its kind and
  // culprit and, before the end, the sums.
  virtual void blocking_call(const BlockingCall& blocking_call) = 0;
  // While the program hangs; each once.
  virtual void deadlock(const Deadlock& deadlock) = 0;
  virtual void lock_order(const LockOrder& order) = 0;
  virtual void race(const Race& race) = 0;
  virtual void never_awaited(const NeverAwaited& never_awaited) = 0;
  // Before the end, most time first.
  virtual void contention(const Contention& contention) = 0;
  // When somebody has asked for it.
  virtual void status(const SessionStatus& status) = 0;
  virtual void end(const SessionEnd& end) = 0;
};

}  // namespace tailback
