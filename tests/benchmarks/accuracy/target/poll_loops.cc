// Loops that wait in poll and select. Each kind has a wait of its own, at a place of its own.

#include <poll.h>
#include <sys/select.h>
#include <time.h>

#include <algorithm>

#include "tests/benchmarks/accuracy/target/event_loop.h"

namespace tailback::accuracy {
namespace {

constexpr int kPatienceMs = 5;
constexpr long kPatienceNs = kPatienceMs * 1'000'000L;

// What poll's kinds have in common.
class PollSet : public EventLoop {
 public:
  void watch(int fd) override { wanted_.push_back({fd, POLLIN, 0}); }

 protected:
  void tell() {
    ready_.clear();
    for (const pollfd& one : wanted_) {
      if (one.revents != 0) ready_.push_back(one.fd);
    }
  }
  std::vector<pollfd> wanted_;
};

class PollLoop : public PollSet {
 public:
  Wait wait() override {
    Wait wait{now_ns(), 0};
    poll(wanted_.data(), wanted_.size(), kPatienceMs);
    wait.returned_ns = now_ns();
    tell();
    return wait;
  }
};

class PpollLoop : public PollSet {
 public:
  Wait wait() override {
    const timespec patience{0, kPatienceNs};
    Wait wait{now_ns(), 0};
    ppoll(wanted_.data(), wanted_.size(), &patience, nullptr);
    wait.returned_ns = now_ns();
    tell();
    return wait;
  }
};

// Never waits: asks again and again.
class BusyPollLoop : public PollSet {
 public:
  Wait wait() override {
    Wait wait{now_ns(), 0};
    poll(wanted_.data(), wanted_.size(), 0);
    wait.returned_ns = now_ns();
    tell();
    return wait;
  }
};

class SelectSet : public EventLoop {
 public:
  void watch(int fd) override {
    fds_.push_back(fd);
    highest_ = std::max(highest_, fd);
  }

 protected:
  void prepare() {
    FD_ZERO(&set_);
    for (const int fd : fds_) FD_SET(fd, &set_);
  }
  void tell(int count) {
    ready_.clear();
    if (count <= 0) return;
    for (const int fd : fds_) {
      if (FD_ISSET(fd, &set_)) ready_.push_back(fd);
    }
  }
  std::vector<int> fds_;
  int highest_ = -1;
  fd_set set_{};
};

class SelectLoop : public SelectSet {
 public:
  Wait wait() override {
    prepare();
    timeval patience{0, kPatienceMs * 1000};
    Wait wait{now_ns(), 0};
    const int count = select(highest_ + 1, &set_, nullptr, nullptr, &patience);
    wait.returned_ns = now_ns();
    tell(count);
    return wait;
  }
};

class PselectLoop : public SelectSet {
 public:
  Wait wait() override {
    prepare();
    const timespec patience{0, kPatienceNs};
    Wait wait{now_ns(), 0};
    const int count = pselect(highest_ + 1, &set_, nullptr, nullptr, &patience, nullptr);
    wait.returned_ns = now_ns();
    tell(count);
    return wait;
  }
};

constexpr std::string_view kKinds[] = {"poll", "ppoll", "select", "pselect", "busy poll"};

}  // namespace

std::span<const std::string_view> poll_loop_kinds() {
  return kKinds;
}

std::unique_ptr<EventLoop> make_poll_loop(std::string_view kind) {
  if (kind == "poll") return std::make_unique<PollLoop>();
  if (kind == "ppoll") return std::make_unique<PpollLoop>();
  if (kind == "select") return std::make_unique<SelectLoop>();
  if (kind == "pselect") return std::make_unique<PselectLoop>();
  if (kind == "busy poll") return std::make_unique<BusyPollLoop>();
  return nullptr;
}

}  // namespace tailback::accuracy
