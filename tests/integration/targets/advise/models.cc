// Programs of every kind of concurrency, right and wrong: models MODE. What they compute is counted
// in time on CPU, so that a busy machine makes them last longer and nothing else.
#include <sched.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void compute(milliseconds on_cpu) {
  timespec time{};
  do {
    [[maybe_unused]] volatile unsigned sink = 0;
    for (unsigned i = 0; i < 20000; ++i) sink = i;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  } while (std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec) < on_cpu);
}

template <typename Work>
void in_threads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

void wait_for_io(milliseconds time) {
  std::this_thread::sleep_for(time);
}

// Ten operations of a second, each on a thread.
void pool() {
  in_threads(10, [] { wait_for_io(milliseconds(1000)); });
}

void sequence() {
  for (int i = 0; i < 12; ++i) wait_for_io(milliseconds(100));
}

void one_wait() {
  wait_for_io(milliseconds(1200));
}

void many() {
  in_threads(300, [] { wait_for_io(milliseconds(1500)); });
}

void single() {
  compute(milliseconds(1200));
}

// As many as there are CPUs.
void parallel() {
  in_threads(static_cast<int>(std::thread::hardware_concurrency()),
             [] { compute(milliseconds(1200)); });
}

// Many more than there are CPUs.
void crowd() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
  in_threads(6, [] { compute(milliseconds(300)); });
}

std::mutex journal;

void write_under_lock() {
  for (int i = 0; i < 15; ++i) {
    const std::lock_guard<std::mutex> lock(journal);
    wait_for_io(milliseconds(20));
  }
}

void contended() {
  in_threads(5, write_under_lock);
}

// A process for each of many short tasks.
void spawning() {
  for (int i = 0; i < 120; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      compute(milliseconds(10));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }
}

// As many processes as there are CPUs, for long tasks.
void processes() {
  const unsigned count = std::thread::hardware_concurrency();
  for (unsigned i = 0; i < count; ++i) {
    if (fork() == 0) {
      compute(milliseconds(1200));
      _exit(0);
    }
  }
  while (wait(nullptr) > 0) {
  }
}

int add_timer(int epoll, milliseconds first, milliseconds period) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  itimerspec times{};
  times.it_value.tv_sec = first.count() / 1000;
  times.it_value.tv_nsec = first.count() % 1000 * 1'000'000;
  times.it_interval.tv_sec = period.count() / 1000;
  times.it_interval.tv_nsec = period.count() % 1000 * 1'000'000;
  timerfd_settime(timer, 0, &times, nullptr);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = timer;
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  return timer;
}

template <typename Callback>
void run_loop(int epoll, milliseconds time, Callback callback) {
  const auto end = steady_clock::now() + time;
  while (steady_clock::now() < end) {
    epoll_event events[64];
    const int ready = epoll_wait(epoll, events, 64, 50);
    for (int i = 0; i < ready; ++i) {
      uint64_t count = 0;
      if (read(events[i].data.fd, &count, sizeof count) > 0) callback(events[i].data.fd);
    }
  }
}

// A thousand waits on one thread.
void event_loop() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < 1000; ++i) add_timer(epoll, milliseconds(1 + i % 1000), milliseconds(1000));
  run_loop(epoll, milliseconds(2500), [](int) {});
}

void load_config() {
  std::this_thread::sleep_for(milliseconds(300));
}

void blocked_loop() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  add_timer(epoll, milliseconds(10), milliseconds(10));
  const int slow = add_timer(epoll, milliseconds(500), milliseconds(500));
  run_loop(epoll, milliseconds(2500), [&](int timer) {
    if (timer == slow) load_config();
  });
}

// Serves a request now and then.
void idle() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  add_timer(epoll, milliseconds(20), milliseconds(20));
  run_loop(epoll, milliseconds(2500), [](int) {});
}

void brief() {
  wait_for_io(milliseconds(15));
}

struct Mode {
  std::string_view name;
  void (*run)();
};
constexpr Mode kModes[] = {
    {"pool", pool},           {"sequence", sequence},     {"one_wait", one_wait},
    {"many", many},           {"single", single},         {"parallel", parallel},
    {"crowd", crowd},         {"contended", contended},   {"spawning", spawning},
    {"processes", processes}, {"event_loop", event_loop}, {"blocked_loop", blocked_loop},
    {"idle", idle},           {"brief", brief},
};

}  // namespace

int main(int argc, char** argv) {
  const auto mode = std::find_if(std::begin(kModes), std::end(kModes),
                                 [&](const Mode& one) { return argc == 2 && one.name == argv[1]; });
  if (mode == std::end(kModes)) {
    std::fprintf(stderr, "usage: models MODE\n");
    return 2;
  }
  mode->run();
  return 0;
}
