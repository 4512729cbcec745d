// What each runtime's program does: `healthy` serves a socket of its own for about two seconds with
// a message every few milliseconds; `stalls` also holds its loop up, three times; `pool` keeps
// worker threads busy beside the loop and the loop free.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <string>

class Scenario {
 public:
  Scenario(int argc, char** argv);

  bool has_stalls() const { return way_ == "stalls"; }
  bool has_pool() const { return way_ == "pool"; }
  static constexpr std::chrono::milliseconds kTick{5};
  static constexpr std::chrono::milliseconds kStall{150};
  static constexpr std::chrono::milliseconds kWork{200};  // of a worker, at a time

  // To be called at each tick: whether the loop is to be held up in this one.
  bool stalls_now();
  // Time until the next tick: of those with a pool some are long, so that its threads have no work.
  std::chrono::milliseconds next_tick() const {
    return has_pool() && ticks_ % 10 == 9 ? kStall : kTick;
  }
  bool is_over() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::string way_;
  std::chrono::steady_clock::time_point end_;
  unsigned ticks_ = 0;
};

// Both ends of a TCP connection on loopback, non-blocking: the server sends each byte back.
class Echo {
 public:
  Echo();

  int server() const { return server_; }
  int client() const { return client_; }
  void ask();
  void on_server_readable() const;
  void on_client_readable();
  // Says "echoes N": how many came back.
  void say() const;

 private:
  int server_ = -1;
  int client_ = -1;
  unsigned echoes_ = 0;
};

// Says "blocked PID MILLISECONDS" for the time that it lives.
class Blocked {
 public:
  Blocked();
  ~Blocked();

 private:
  std::chrono::steady_clock::time_point begin_;
};

// What a worker thread does.
void work();
