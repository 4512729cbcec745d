// What the loops of these programs have in common: so many iterations, a few of which hold them up.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace loops {

// Time between two events of a loop.
inline constexpr int kPeriodMs = 3;

// Iterations before the first that is held up, and after it. main() may ask for more.
inline int warm_up = 70;
inline constexpr int kCoolDown = 60;

class Iterations {
 public:
  explicit Iterations(int stalls, int iterations = warm_up + kCoolDown)
      : stalls_(stalls), iterations_(iterations) {}

  bool go_on() const { return done_ < iterations_; }
  // What a loop does with an event: next to nothing, or too much.
  void handle_event();

 private:
  int stalls_;
  int iterations_;
  int done_ = 0;
};

// Sleeps for 150 ms and says so: "blocked PID MILLISECONDS".
void hold_the_loop_up();

// A timer that expires every kPeriodMs, as a descriptor. -1 and an error message if there is none.
int periodic_timer(int flags);
void drain(int timer);

double now_ms();
void sleep_ms(int length);

struct Kind {
  std::string name;
  std::function<void(int stalls)> run;
};

std::vector<Kind> epoll_loops();
std::vector<Kind> named_loops();
std::vector<Kind> poll_loops();
std::vector<Kind> pooled_loops();
std::vector<Kind> quiet_loops();
std::vector<Kind> ring_loops();
std::vector<Kind> several_loops();
std::vector<Kind> shared_call_sites();
std::vector<Kind> unhooked_loops();

// main() of a program of loops: KIND STALLS [WARM-UP]. Says on an unknown kind what there is.
int run_kind(const std::vector<Kind>& kinds, int argc, char** argv);

}  // namespace loops
