// Callbacks that sleep.

#include <sys/select.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include <thread>

#include "demos/echo/callbacks.h"

namespace tailback::demo {
namespace {

void block_in_sleep(Milliseconds length) {
  // EXPECT stall on="sleep sleep" cause=sleep call=sleep function=block_in_sleep
  sleep(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(length).count()));
}

void block_in_usleep(Milliseconds length) {
  // EXPECT stall on="sleep usleep" cause=sleep call=usleep function=block_in_usleep
  usleep(static_cast<useconds_t>(std::chrono::microseconds(length).count()));
}

void block_in_nanosleep(Milliseconds length) {
  const timespec duration = to_timespec(length);
  // EXPECT stall on="sleep nanosleep" cause=sleep call=nanosleep function=block_in_nanosleep
  nanosleep(&duration, nullptr);
}

void block_in_clock_nanosleep(Milliseconds length) {
  const timespec deadline = deadline_on(CLOCK_MONOTONIC, length);
  // EXPECT stall on="sleep clock_nanosleep" cause=sleep call=clock_nanosleep
  // function=block_in_clock_nanosleep
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
}

void block_in_thrd_sleep(Milliseconds length) {
  const timespec duration = to_timespec(length);
  // EXPECT stall on="sleep thrd_sleep" cause=sleep call=thrd_sleep function=block_in_thrd_sleep
  thrd_sleep(&duration, nullptr);
}

// The standard library's own frame is innermost; ours is to blame.
void block_in_sleep_for(Milliseconds length) {
  // EXPECT stall on="sleep sleep_for" cause=sleep call=nanosleep|clock_nanosleep
  // function=block_in_sleep_for
  std::this_thread::sleep_for(length);
}

void block_in_syscall(Milliseconds length) {
  const timespec duration = to_timespec(length);
  // EXPECT stall on="sleep syscall" cause=sleep call=syscall|nanosleep function=block_in_syscall
  syscall(SYS_nanosleep, &duration, nullptr);
}

// A select on no descriptor is a sleep.
void block_in_select(Milliseconds length) {
  timeval timeout{length.count() / 1000, length.count() % 1000 * 1000};
  // EXPECT stall on="sleep select" cause=sleep call=select function=block_in_select
  select(0, nullptr, nullptr, nullptr, &timeout);
}

constexpr Callback kCallbacks[] = {
    {"sleep", "sleep", block_in_sleep},
    {"sleep", "usleep", block_in_usleep},
    {"sleep", "nanosleep", block_in_nanosleep},
    {"sleep", "clock_nanosleep", block_in_clock_nanosleep},
    {"sleep", "thrd_sleep", block_in_thrd_sleep},
    {"sleep", "sleep_for", block_in_sleep_for},
    {"sleep", "syscall", block_in_syscall},
    {"sleep", "select", block_in_select},
};

}  // namespace

std::span<const Callback> sleep_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
