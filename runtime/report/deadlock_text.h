// Deadlocks for people.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/report/text_style.h"
#include "runtime/values/deadlock.h"

namespace tailback {

// "deadlock of 2 threads: left waits for b, held by right; right waits for a, held by left"
std::string deadlock_headline(const Deadlock& deadlock);

// With every thread's stack, what it wants and what it holds.
std::string full_deadlock_text(const Deadlock& deadlock, const TextStyle& style);

}  // namespace tailback
