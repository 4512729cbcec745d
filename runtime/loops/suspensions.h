// When the machine was suspended. Nothing of it counts as a stall. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "runtime/kernel/kernel_facts.h"
#include "runtime/values/stall.h"

namespace tailback {

class Suspensions {
 public:
  // `read` gives the machine's clocks, or nothing if that did not succeed this time.
  explicit Suspensions(std::function<std::optional<MachineClocks>()> read);

  // To be called at every look. `ticked` is the time since the last call by the recorder's ticks,
  // which may or may not go on while the machine is suspended. Gives the length of a suspension
  // since then, if there was one.
  std::optional<Nanoseconds> look(uint64_t tick, Nanoseconds ticked);

  // Suspended time that the ticks between two moments include.
  Nanoseconds within(uint64_t begin_tick, uint64_t end_tick) const;
  bool any() const { return any_; }

 private:
  struct Suspension {
    uint64_t after = 0;   // the look before it
    uint64_t before = 0;  // the look after it
    Nanoseconds ticked{};
  };

  std::function<std::optional<MachineClocks>()> read_;
  std::optional<MachineClocks> last_;
  uint64_t last_tick_ = 0;
  Nanoseconds ticked_{};  // since last_
  std::deque<Suspension> known_;
  bool any_ = false;
};

}  // namespace tailback
