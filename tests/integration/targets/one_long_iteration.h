// An event loop with one iteration that is to be long, between others that are not.
#pragma once

#include <functional>
#include <span>
#include <string_view>

// Says "blocked PID MILLISECONDS": how long `block` took. `prepare` runs in the same iteration
// before it.
void run_loop(const std::function<void()>& prepare, const std::function<void()>& block);

// A long iteration that a program is asked for by its name.
struct LongIteration {
  std::string_view name;
  void (*prepare)();
  void (*block)();
};
// Runs the loop with the iteration that the program's only argument names; none: the one named "".
// False, and said so: there is none of that name.
bool run_named(int argc, char** argv, std::span<const LongIteration> iterations);

// A loop whose iterations all call `callback`, 5 ms after each other.
void run_short_iterations(int count, const std::function<void()>& callback);
