#include "runtime/advise/program_clock.h"

#include <algorithm>

namespace tailback {

void ProgramClock::look(Nanoseconds time, const Look& look) {
  ++polls_;
  Nanoseconds computing{};
  if (look.computing > 0) {
    computing = Nanoseconds(static_cast<int64_t>(static_cast<double>(time.count()) *
                                                 std::clamp(look.computing_share, 0.0, 1.0)));
  }
  time_.computing += computing;
  const Nanoseconds rest = time - computing;
  if (look.operations > 0) {
    time_.waiting += rest;
  } else if (look.locked > 0) {
    time_.locked += rest;
  } else {
    time_.resting += rest;
  }
  if (look.operations > 0) in_flight_[look.operations] += time;
}

InFlight ProgramClock::in_flight() const {
  InFlight found;
  found.operations = operations_;
  double sum = 0;
  for (const auto& [count, time] : in_flight_) {
    found.time += time;
    sum += static_cast<double>(count) * static_cast<double>(time.count());
    found.most = count;
  }
  if (found.time == Nanoseconds::zero()) return found;
  found.mean = sum / static_cast<double>(found.time.count());
  Nanoseconds so_far{};
  for (const auto& [count, time] : in_flight_) {
    if (so_far * 2 < found.time) found.p50 = count;
    if (so_far * 10 < found.time * 9) found.p90 = count;
    so_far += time;
  }
  return found;
}

}  // namespace tailback
