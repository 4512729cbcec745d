// Wall-clock times as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/values/stall.h"

namespace tailback {

// RFC 3339 in the local time zone, with milliseconds: "2025-11-22T15:13:01.123+01:00".
std::string rfc3339(WallTime time);

// The same for people: "2025-11-22 15:13:01.123 +01:00".
std::string wall_time_text(WallTime time);

// Reads RFC 3339 with any zone and up to nanoseconds. Nothing if the text is something else, or a
// time that WallTime does not reach (before 1678, after 2261).
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace tailback
