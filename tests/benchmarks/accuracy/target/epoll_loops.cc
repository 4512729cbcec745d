// Loops that wait in epoll. Each kind has a wait of its own, at a place of its own.

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "tests/benchmarks/accuracy/target/event_loop.h"

namespace tailback::accuracy {

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

namespace {

constexpr int kPatienceMs = 5;

class Epoll {
 public:
  explicit Epoll(uint32_t flags = 0) : fd_(epoll_create1(EPOLL_CLOEXEC)), flags_(flags) {}
  ~Epoll() { close(fd_); }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  int fd() const { return fd_; }
  epoll_event* room() { return events_.data(); }
  int size() const { return static_cast<int>(events_.size()); }
  void control(int operation, int fd) {
    epoll_event event{};
    event.events = EPOLLIN | flags_;
    event.data.fd = fd;
    epoll_ctl(fd_, operation, fd, &event);
  }
  void tell(int count, std::vector<int>& ready) const {
    for (int i = 0; i < count; ++i) ready.push_back(events_[static_cast<size_t>(i)].data.fd);
  }

 private:
  int fd_;
  uint32_t flags_;
  std::array<epoll_event, 16> events_{};
};

// Level-triggered, edge-triggered or oneshot, as the flags say.
class EpollLoop : public EventLoop {
 public:
  explicit EpollLoop(uint32_t flags) : epoll_(flags), rearms_((flags & EPOLLONESHOT) != 0) {}
  void watch(int fd) override { epoll_.control(EPOLL_CTL_ADD, fd); }
  Wait wait() override {
    Wait wait{now_ns(), 0};
    const int count = epoll_wait(epoll_.fd(), epoll_.room(), epoll_.size(), kPatienceMs);
    wait.returned_ns = now_ns();
    ready_.clear();
    epoll_.tell(count, ready_);
    return wait;
  }
  void served(int fd) override {
    if (rearms_) epoll_.control(EPOLL_CTL_MOD, fd);
  }

 private:
  Epoll epoll_;
  bool rearms_;
};

class EpollPwaitLoop : public EventLoop {
 public:
  void watch(int fd) override { epoll_.control(EPOLL_CTL_ADD, fd); }
  Wait wait() override {
    Wait wait{now_ns(), 0};
    const int count = epoll_pwait(epoll_.fd(), epoll_.room(), epoll_.size(), kPatienceMs, nullptr);
    wait.returned_ns = now_ns();
    ready_.clear();
    epoll_.tell(count, ready_);
    return wait;
  }

 private:
  Epoll epoll_;
};

// Never waits: asks again and again.
class BusyEpollLoop : public EventLoop {
 public:
  void watch(int fd) override { epoll_.control(EPOLL_CTL_ADD, fd); }
  Wait wait() override {
    Wait wait{now_ns(), 0};
    const int count = epoll_wait(epoll_.fd(), epoll_.room(), epoll_.size(), 0);
    wait.returned_ns = now_ns();
    ready_.clear();
    epoll_.tell(count, ready_);
    return wait;
  }

 private:
  Epoll epoll_;
};

// Two instances served in one frame, by iterations. Each wait ends an iteration.
class TwoEpollsLoop : public EventLoop {
 public:
  void watch(int fd) override {
    (watched_++ % 2 == 0 ? first_ : second_).control(EPOLL_CTL_ADD, fd);
  }
  Wait wait() override {
    at_first_ = !at_first_;
    Epoll& epoll = at_first_ ? first_ : second_;
    Wait wait{now_ns(), 0};
    const int count = epoll_wait(epoll.fd(), epoll.room(), epoll.size(), kPatienceMs);
    wait.returned_ns = now_ns();
    ready_.clear();
    epoll.tell(count, ready_);
    return wait;
  }

 private:
  Epoll first_;
  Epoll second_;
  int watched_ = 0;
  bool at_first_ = false;
};

// An instance that is watched by another, in which the loop waits.
class NestedEpollLoop : public EventLoop {
 public:
  NestedEpollLoop() { outer_.control(EPOLL_CTL_ADD, inner_.fd()); }
  void watch(int fd) override {
    (watched_++ % 2 == 0 ? outer_ : inner_).control(EPOLL_CTL_ADD, fd);
  }
  Wait wait() override {
    Wait wait{now_ns(), 0};
    const int count = epoll_wait(outer_.fd(), outer_.room(), outer_.size(), kPatienceMs);
    wait.returned_ns = now_ns();
    ready_.clear();
    outer_.tell(count, ready_);
    if (std::erase(ready_, inner_.fd()) > 0) {
      const int more = epoll_wait(inner_.fd(), inner_.room(), inner_.size(), 0);
      inner_.tell(more, ready_);
    }
    return wait;
  }

 private:
  Epoll outer_;
  Epoll inner_;
  int watched_ = 0;
};

constexpr std::string_view kKinds[] = {"epoll level", "epoll edge", "epoll oneshot",
                                       "epoll_pwait", "two epolls", "epoll in epoll",
                                       "busy epoll"};

}  // namespace

std::span<const std::string_view> epoll_loop_kinds() {
  return kKinds;
}

std::unique_ptr<EventLoop> make_epoll_loop(std::string_view kind) {
  if (kind == "epoll level") return std::make_unique<EpollLoop>(0);
  if (kind == "epoll edge") return std::make_unique<EpollLoop>(EPOLLET);
  if (kind == "epoll oneshot") return std::make_unique<EpollLoop>(EPOLLONESHOT);
  if (kind == "epoll_pwait") return std::make_unique<EpollPwaitLoop>();
  if (kind == "two epolls") return std::make_unique<TwoEpollsLoop>();
  if (kind == "epoll in epoll") return std::make_unique<NestedEpollLoop>();
  if (kind == "busy epoll") return std::make_unique<BusyEpollLoop>();
  return nullptr;
}

}  // namespace tailback::accuracy
