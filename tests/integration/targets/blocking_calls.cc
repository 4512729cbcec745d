// An epoll loop of 60 iterations whose callbacks wait now and then, never for long: blocking calls
// slow; call what is able to block, though nothing has to wait: blocking calls quick; or do
// neither: blocking calls none.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

namespace {

int pair[2];
int pipe_ends[2];
int file;
char buffer[64];

void check(bool done) {
  if (!done) abort();
}

// Answers each byte 6 ms later; "now" bytes at once.
void answer() {
  char request = 0;
  while (read(pair[1], &request, 1) == 1) {
    if (request == 'q') usleep(6'000);
    check(write(pair[1], &request, 1) == 1);
  }
}

// EXPECT blocking call: recv, socket
[[gnu::noinline]] void ask_peer() {
  check(write(pair[0], "q", 1) == 1);
  check(recv(pair[0], buffer, 1, 0) == 1);
}

// EXPECT blocking call: usleep, sleep
[[gnu::noinline]] void take_a_nap() {
  check(usleep(3'000) == 0);
}

[[gnu::noinline]] void read_full_pipe() {
  check(write(pipe_ends[1], "x", 1) == 1);
  check(read(pipe_ends[0], buffer, 1) == 1);
}

[[gnu::noinline]] void sleep_for_no_time() {
  const timespec none{0, 0};
  check(nanosleep(&none, nullptr) == 0);
}

[[gnu::noinline]] void sleep_shortly() {
  const timespec shortly{0, 1'000};
  check(nanosleep(&shortly, nullptr) == 0);
}

[[gnu::noinline]] void reap_child(int options) {
  const pid_t child = fork();
  check(child >= 0);
  if (child == 0) _exit(0);
  siginfo_t info{};
  check(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  check(waitpid(child, nullptr, options) == child);
}

[[gnu::noinline]] void look_up(const char* host, int flags) {
  addrinfo hints{};
  hints.ai_flags = flags;
  addrinfo* result = nullptr;
  if (getaddrinfo(host, nullptr, &hints, &result) == 0) freeaddrinfo(result);
}

[[gnu::noinline]] void join_thread() {
  std::thread([] {}).join();
}

[[gnu::noinline]] void lock_file() {
  check(flock(file, LOCK_EX) == 0);
  check(flock(file, LOCK_UN | LOCK_NB) == 0);
}

// None of these can wait without end.
void do_no_harm() {
  static std::mutex free_mutex;
  const std::lock_guard lock(free_mutex);
  check(pread(file, buffer, 4, 0) == 4);
  pollfd wait{pipe_ends[0], POLLIN, 0};
  check(poll(&wait, 1, 0) == 0);
  check(recv(pair[0], buffer, 1, MSG_DONTWAIT) < 0);
  check(waitpid(-1, nullptr, WNOHANG) < 0);
  check(flock(file, LOCK_EX | LOCK_NB) == 0);
  sleep_for_no_time();
  look_up("127.0.0.1", 0);
  look_up("::1", AI_NUMERICHOST);
  const int null = open("/dev/null", O_WRONLY);
  check(write(null, "x", 1) == 1);
  close(null);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "none";
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(pipe_ends) == 0);
  file = fileno(tmpfile());
  check(write(file, "text", 4) == 4);
  std::thread(answer).detach();
  const int epoll = epoll_create1(0);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  const itimerspec every_5ms{{0, 5'000'000}, {0, 5'000'000}};
  timerfd_settime(timer, 0, &every_5ms, nullptr);
  epoll_event event{};
  event.events = EPOLLIN;
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0);
  for (int iteration = 0; iteration < 60; ++iteration) {
    check(epoll_wait(epoll, &event, 1, -1) == 1);
    check(read(timer, buffer, 8) == 8);
    do_no_harm();
    if (iteration < 10 || iteration % 5 != 0) continue;
    if (mode == "slow") {
      ask_peer();
      take_a_nap();
    } else if (mode == "quick") {
      read_full_pipe();
      sleep_shortly();
      reap_child(0);
      look_up("localhost", 0);
      join_thread();
      lock_file();
    }
  }
  return 0;
}
