// The last of the reporters under --on-deadlock=abort: ends the processes of a deadlock once all
// others have told of it.
#pragma once

#include <signal.h>

#include <set>

#include "runtime/report/reporter.h"

namespace tailback {

class DeadlockAbort final : public Reporter {
 public:
  void deadlock(const Deadlock& deadlock) override {
    std::set<int> processes;
    for (const DeadlockedThread& thread : deadlock.threads) {
      if (thread.in_cycle && thread.pid > 1) processes.insert(thread.pid);
    }
    for (const int pid : processes) kill(pid, SIGABRT);
  }
  void session(const SessionStart&) override {}
  void stall(const Stall&) override {}
  void note(const Note&) override {}
  void blocking_call(const BlockingCall&) override {}
  void lock_order(const LockOrder&) override {}
  void race(const Race&) override {}
  void never_awaited(const NeverAwaited&) override {}
  void contention(const Contention&) override {}
  void status(const SessionStatus&) override {}
  void end(const SessionEnd&) override {}
};

}  // namespace tailback
