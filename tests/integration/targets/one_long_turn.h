// An event loop with one turn that is to be long, between others that are not.
#pragma once

#include <functional>
#include <span>
#include <string_view>

// Says "blocked PID MILLISECONDS": how long `block` took. `prepare` runs in the same turn before
// it.
void run_loop(const std::function<void()>& prepare, const std::function<void()>& block);

// A long turn that a program is asked for by its name.
struct LongTurn {
  std::string_view name;
  void (*prepare)();
  void (*block)();
};
// Runs the loop with the turn that the program's only argument names; none: the one named "".
// False, and said so: there is none of that name.
bool run_named(int argc, char** argv, std::span<const LongTurn> turns);

// A loop whose turns all call `callback`, 5 ms after each other.
void run_short_turns(int count, const std::function<void()>& callback);
