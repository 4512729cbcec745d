// The callbacks that block, by family. Each runs on the loop's thread.
#pragma once

#include <time.h>

#include <chrono>
#include <span>
#include <string_view>

namespace tailback::demo {

using Milliseconds = std::chrono::milliseconds;

// One callback and the line that runs it: "family call length".
struct Callback {
  std::string_view family;
  std::string_view call;
  void (*block)(Milliseconds length);
};

std::span<const Callback> sleep_callbacks();
std::span<const Callback> file_callbacks();
std::span<const Callback> pipe_callbacks();
std::span<const Callback> socket_callbacks();
std::span<const Callback> lock_callbacks();
std::span<const Callback> thread_callbacks();
std::span<const Callback> stream_callbacks();
std::span<const Callback> message_callbacks();
std::span<const Callback> signal_callbacks();
std::span<const Callback> process_callbacks();
std::span<const Callback> name_callbacks();
std::span<const Callback> nested_wait_callbacks();
std::span<const Callback> cpu_callbacks();
std::span<const Callback> stuck_callbacks();

inline timespec to_timespec(std::chrono::nanoseconds length) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((length - seconds).count())};
}

// The moment `length` from now on `clock`, for calls that take a deadline.
inline timespec deadline_on(clockid_t clock, std::chrono::nanoseconds length) {
  timespec now{};
  clock_gettime(clock, &now);
  return to_timespec(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec) +
                     length);
}

}  // namespace tailback::demo
