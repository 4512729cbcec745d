// Event loops of all the kinds that the benchmark runs, behind one face.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tailback::accuracy {

// CLOCK_MONOTONIC.
int64_t now_ns();

// One wait: the iteration before it ends where it is entered, the next one begins where it returns.
struct Wait {
  int64_t entered_ns = 0;
  int64_t returned_ns = 0;
};

class EventLoop {
 public:
  virtual ~EventLoop() = default;
  // Adds a descriptor to wait for, before the first wait.
  virtual void watch(int fd) = 0;
  // Waits once, for 5 ms at most.
  virtual Wait wait() = 0;
  // Those that the last wait found ready.
  std::span<const int> ready() const { return ready_; }
  // Called once a ready descriptor was drained.
  virtual void served(int) {}

 protected:
  std::vector<int> ready_;
};

// Kinds of loops that run on one thread. Nothing if there is no such kind.
std::span<const std::string_view> epoll_loop_kinds();
std::span<const std::string_view> poll_loop_kinds();
std::unique_ptr<EventLoop> make_epoll_loop(std::string_view kind);
std::unique_ptr<EventLoop> make_poll_loop(std::string_view kind);

}  // namespace tailback::accuracy
