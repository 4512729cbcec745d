// A blocking call: calls on a loop thread that could hold the loop up and did not do so for longer
// than the threshold, summed per culprit: the stall of tomorrow. A plain value.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "runtime/values/stall.h"

namespace tailback {

enum class BlockingCallKind {
  kWaited,    // was seen to wait, longer than a call on a loop should (--blocking-calls)
  kMayBlock,  // is able to wait without end, if it was quick this time (--strict)
};

inline constexpr std::array<std::string_view, 2> kBlockingCallKindWords = {"waited", "may-block"};
constexpr std::string_view word(BlockingCallKind kind) {
  return kBlockingCallKindWords[static_cast<size_t>(kind)];
}

enum class BlockingCallState {
  kSeen,  // for the first time: `count` is 1
  kSum,   // all that the session has seen of it
};

inline constexpr std::array<std::string_view, 2> kBlockingCallStateWords = {"seen", "sum"};
constexpr std::string_view word(BlockingCallState state) {
  return kBlockingCallStateWords[static_cast<size_t>(state)];
}

struct BlockingCall {
  BlockingCallKind kind = BlockingCallKind::kWaited;
  BlockingCallState state = BlockingCallState::kSeen;
  uint64_t count = 0;
  Nanoseconds total{};
  WallTime last;  // when the last of these calls began
  // The longest of these calls, told as a stall: begin and duration are the call's own.
  Stall longest;
};

}  // namespace tailback
