// Durations and counts as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/values/stall.h"

namespace tailback {

// Three significant digits up to a minute, then two units: "850 ns", "12.3 µs", "3.20 ms",
// "400 ms", "2.00 s", "1 min 3 s", "2 h 5 min", "3 d 4 h". A negative duration reads "0 ns".
std::string duration_text(Nanoseconds duration);

// With thousands apart: "1,204,311".
std::string count_text(uint64_t count);

// "1 stall", "2 stalls".
std::string count_text(uint64_t count, const char* one, const char* many);

// The same as a line of its own behind `indent`; empty of 0.
std::string count_line(std::string_view indent, uint64_t count, const char* one, const char* many);

// The part of the whole in percent: "31 %"; "<1 %" for less than half a percent of something; "-"
// of nothing.
std::string share_text(Nanoseconds part, Nanoseconds whole);

// The sum, or the greatest value there is where it would overflow. Recordings and targets can
// name any length or count.
Nanoseconds saturating_sum(Nanoseconds a, Nanoseconds b);
uint64_t saturating_sum(uint64_t a, uint64_t b);

}  // namespace tailback
