// Keeps the values as they come.
#pragma once

#include <vector>

#include "runtime/report/reporter.h"

namespace tailback {

class RecordingReporter final : public Reporter {
 public:
  void session(const SessionStart& start) override { sessions.push_back(start); }
  void stall(const Stall& stall) override { stalls.push_back(stall); }
  void note(const Note& note) override { notes.push_back(note); }
  void blocking_call(const BlockingCall& blocking_call) override {
    blocking_calls.push_back(blocking_call);
  }
  void deadlock(const Deadlock& deadlock) override { deadlocks.push_back(deadlock); }
  void lock_order(const LockOrder& order) override { lock_orders.push_back(order); }
  void never_awaited(const NeverAwaited& one) override { never_awaiteds.push_back(one); }
  void race(const Race& race) override { races.push_back(race); }
  void contention(const Contention& contention) override { contentions.push_back(contention); }
  void status(const SessionStatus& status) override { statuses.push_back(status); }
  void end(const SessionEnd& end) override { ends.push_back(end); }

  std::vector<SessionStart> sessions;
  std::vector<Stall> stalls;
  std::vector<Note> notes;
  std::vector<BlockingCall> blocking_calls;
  std::vector<Deadlock> deadlocks;
  std::vector<LockOrder> lock_orders;
  std::vector<NeverAwaited> never_awaiteds;
  std::vector<Race> races;
  std::vector<Contention> contentions;
  std::vector<SessionStatus> statuses;
  std::vector<SessionEnd> ends;
};

}  // namespace tailback
