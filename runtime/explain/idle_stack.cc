#include "runtime/explain/idle_stack.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/explain/culprit.h"

namespace tailback {

namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// "tokio::runtime::scheduler::multi_thread::park::Inner::park_condvar" and the like. A task that
// waits has none of these in its stack.
bool is_tokio_park(const Frame& frame) {
  return frame.function.starts_with("tokio::runtime::") &&
         (has(frame.function, "::park::") || has(frame.function, "::park_"));
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

bool is_idle_stack(const std::vector<Frame>& stack, bool shares_loop) {
  if (std::any_of(stack.begin(), stack.end(), is_tokio_park)) return true;
  const auto own = std::find_if(stack.begin(), stack.end(),
                                [](const Frame& frame) { return !is_system_library(frame); });
  if (own == stack.end()) return false;
  if (is_asio_scheduler(*own)) return true;
  const bool is_named = std::any_of(own, stack.end(), [](const Frame& frame) {
    return !is_system_library(frame) && !frame.function.empty() && frame.function != "_start" &&
           frame.function != "main";
  });
  return !is_named && shares_loop;
}

}  // namespace tailback
