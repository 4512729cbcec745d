// The names of the threads that detectors run on, for recordings and their replay.
#pragma once

namespace tailback {

inline constexpr char kSessionLane[] = "session";
inline constexpr char kLockOrderLane[] = "lock_order";
inline constexpr char kContentionLane[] = "contention";

}  // namespace tailback
