// The last of the reporters under --on-deadlock=abort: ends the processes of a deadlock once all
// others have reported it.
#pragma once

#include <signal.h>

#include <set>

#include "runtime/report/reporter.h"

namespace tailback {

class DeadlockAbort final : public Reporter {
 public:
  void report(const Record& record) override {
    const auto* const deadlock = std::get_if<Deadlock>(&record);
    if (deadlock == nullptr) return;
    std::set<int> processes;
    for (const DeadlockedThread& thread : deadlock->threads) {
      if (thread.in_cycle && thread.pid > 1) processes.insert(thread.pid);
    }
    for (const int pid : processes) kill(pid, SIGABRT);
  }
};

}  // namespace tailback
