// SIGUSR1 asks an observer how things stand.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace tailback {

// Holds the signal back from every thread that is started afterwards, and answers it in one of its
// own for as long as it lives.
class StatusSignal {
 public:
  // `asked` is called in that thread.
  explicit StatusSignal(std::function<void()> asked);
  ~StatusSignal();
  StatusSignal(const StatusSignal&) = delete;
  StatusSignal& operator=(const StatusSignal&) = delete;

 private:
  void run();

  std::function<void()> asked_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
