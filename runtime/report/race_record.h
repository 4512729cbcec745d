// Findings of ThreadSanitizer as lines of a recording, and read back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/report/record_fields.h"
#include "runtime/values/race.h"

namespace tailback {

// As json_record.h.
std::string json_line(const Race& race);

// The type that a record's "type" names, if it is one of these.
std::optional<RaceType> race_type_of(std::string_view type);
// Throws MalformedRecord.
Race race_of(RaceType type, const Fields& fields);

}  // namespace tailback
