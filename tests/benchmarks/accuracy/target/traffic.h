// What a healthy loop is busy with: a timer, a pipe and a connection.
#pragma once

#include <array>
#include <random>

namespace tailback::accuracy {

class Traffic {
 public:
  Traffic();
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // To be watched by the loop.
  std::array<int, 3> descriptors() const { return {timer_, pipe_[0], connection_[0]}; }
  // Takes what there is to read.
  void serve(int fd);
  // Sends something, now and then.
  void stir(std::mt19937_64& random);

 private:
  int timer_;
  int pipe_[2] = {-1, -1};
  int connection_[2] = {-1, -1};
};

}  // namespace tailback::accuracy
