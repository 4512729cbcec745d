// What work leaves behind in memory.
#pragma once

#include <functional>

// Prints by how much the process has grown once `read_stack` was called 50,000 times.
void say_growth(const std::function<void()>& read_stack);
