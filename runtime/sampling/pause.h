// Holding a running thread still for a moment, so that its stack can be read. See PauseState in the
// record contract. Safe from any thread: of two that want the same record one gets it.
#pragma once

#include <optional>

#include "instrument/contract/record_contract.h"

namespace tailback {

class Hold {
 public:
  // Asks the thread to stand still and waits until it does, for a few milliseconds at most. Nothing
  // if it can't be held: the program uses the signal itself, blocks it, or got no CPU in time.
  // Never signals a thread that the kernel shows as blocked.
  static std::optional<Hold> take(contract::ThreadRecord& record,
                                  const contract::ProcessRecord& process, int pid, int tid);

  Hold(Hold&& other) noexcept;
  Hold& operator=(Hold&&) = delete;
  ~Hold();  // lets the thread go on

  // The thread's registers where the signal hit.
  const contract::Context& context() const { return context_; }

  // Lets the thread go on. False if its patience had ended before: what was read meanwhile may be
  // torn.
  bool release();

 private:
  explicit Hold(contract::ThreadRecord& record);

  contract::ThreadRecord* record_;
  contract::Context context_;
};

}  // namespace tailback
