// Recordings of schema 1 as those of schema 2.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace tailback {

// A record of schema 1 with the types, keys and words of schema 2. What is no record of schema 1
// stays as malformed as it is.
nlohmann::json from_schema_1(nlohmann::json record);

}  // namespace tailback
