#include "runtime/loops/iteration_accounting.h"

#include <algorithm>

namespace tailback {

TimeSpent share_out(const CounterGrowth& growth, Nanoseconds looked_at, Nanoseconds in_faults,
                    Nanoseconds duration) {
  TimeSpent spent;
  const Nanoseconds none{};
  const Nanoseconds on_cpu = std::max(growth.on_cpu, none);
  const Nanoseconds runnable = std::max(growth.runnable, none);
  const Nanoseconds measured = std::max(looked_at, on_cpu + runnable);
  if (measured <= none || duration <= none) return spent;
  const double scale =
      static_cast<double>(duration.count()) / static_cast<double>(measured.count());
  const auto scaled = [&](Nanoseconds length) {
    return Nanoseconds(static_cast<int64_t>(static_cast<double>(length.count()) * scale));
  };
  spent.known = true;
  spent.unseen = std::max(duration - measured, none);
  spent.on_cpu = std::min(scaled(on_cpu), duration);
  spent.runnable = std::min(scaled(runnable), duration - spent.on_cpu);
  spent.blocked = duration - spent.on_cpu - spent.runnable;
  spent.throttled = std::clamp(scaled(growth.throttled), none, spent.runnable);
  spent.in_faults = std::clamp(in_faults, none, spent.blocked);
  const uint64_t ticks = growth.user_ticks + growth.system_ticks;
  if (ticks > 0) {
    const double share = static_cast<double>(growth.system_ticks) / static_cast<double>(ticks);
    spent.in_kernel =
        Nanoseconds(static_cast<int64_t>(share * static_cast<double>(spent.on_cpu.count())));
  }
  spent.major_faults = growth.major_faults;
  return spent;
}

}  // namespace tailback
