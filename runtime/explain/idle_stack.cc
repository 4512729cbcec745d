#include "runtime/explain/idle_stack.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/explain/culprit.h"

namespace tailback {

namespace {

using Stack = std::vector<Frame>;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// "tokio::runtime::scheduler::multi_thread::park::Inner::park_condvar" and the like. A task that
// waits has none of these in its stack.
bool is_tokio_park(const Frame& frame) {
  return frame.function.starts_with("tokio::runtime::") &&
         (has(frame.function, "::park::") || has(frame.function, "::park_"));
}

// What waits lies in the standard library, or in a library of locks.
bool is_rust_lock(const Frame& frame) {
  constexpr std::array<std::string_view, 6> kRoots = {
      "std::", "core::", "alloc::", "<core::", "parking_lot::", "parking_lot_core::"};
  return is_system_library(frame) ||
         std::any_of(kRoots.begin(), kRoots.end(),
                     [&](std::string_view root) { return frame.function.starts_with(root); });
}

// A thread of the blocking pool that waits for its next task: a task would stand further in.
bool is_idle_in_tokio_pool(const Stack& stack) {
  const auto own = std::find_if_not(stack.begin(), stack.end(), is_rust_lock);
  return own != stack.end() && own->function.starts_with("tokio::runtime::blocking::pool::");
}

bool is_of_tokio(const Frame& frame) {
  return frame.function.starts_with("tokio::runtime::");
}

// Boost.Asio's threads wait in the scheduler itself; a handler that waits stands further in. What
// is around the wait may be compiled into the scheduler's function.
bool is_asio_scheduler(const Frame& frame) {
  constexpr std::array<std::string_view, 3> kWaits = {
      "asio::detail::scheduler::", "asio::detail::conditionally_enabled_event::",
      "asio::detail::posix_event::"};
  const std::string_view head =
      std::string_view(frame.function).substr(0, frame.function.find('('));
  return std::any_of(kWaits.begin(), kWaits.end(),
                     [&](std::string_view name) { return has(head, name); });
}

}  // namespace

bool has_handed_loop_on(const Stack& stack) {
  return std::any_of(stack.begin(), stack.end(), [](const Frame& frame) {
    return frame.function.starts_with("tokio::") && has(frame.function, "::block_in_place");
  });
}

bool is_idle_stack(const Stack& stack, LoopSharing sharing) {
  if (std::any_of(stack.begin(), stack.end(), is_of_tokio)) {
    return std::any_of(stack.begin(), stack.end(), is_tokio_park) || is_idle_in_tokio_pool(stack);
  }
  const auto own = std::find_if_not(stack.begin(), stack.end(), is_system_library);
  if (own == stack.end()) return false;
  if (std::any_of(own, stack.end(), is_asio_scheduler)) return is_asio_scheduler(*own);
  if (sharing == LoopSharing::kServed) return true;
  const bool is_named = std::any_of(own, stack.end(), [](const Frame& frame) {
    return !is_system_library(frame) && !frame.function.empty() && frame.function != "_start" &&
           frame.function != "main";
  });
  return !is_named && sharing == LoopSharing::kShared;
}

}  // namespace tailback
