// An event loop with one turn that is to be long, between others that are not.
#pragma once

#include <functional>

// Says "blocked PID MILLISECONDS": how long `block` took. `prepare` runs in the same turn before
// it.
void run_loop(const std::function<void()>& prepare, const std::function<void()>& block);

// A loop whose turns all call `callback`, 5 ms after each other.
void run_short_turns(int count, const std::function<void()>& callback);
