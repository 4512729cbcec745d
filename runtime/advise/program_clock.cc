#include "runtime/advise/program_clock.h"

namespace tailback {

void ProgramClock::look(Nanoseconds time, const Look& look) {
  ++looks_;
  if (look.computing > 0) {
    time_.computing += time;
  } else if (look.operations > 0) {
    time_.waiting += time;
  } else if (look.locked > 0) {
    time_.locked += time;
  } else {
    time_.resting += time;
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
