// Recordings against the JSON Schema that documents them (runtime/report/schema).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tailback::test {

// What the schema says against one line of a recording; empty if it is valid. Throws
// std::runtime_error if the schema itself can't be read.
std::vector<std::string> schema_faults(const nlohmann::json& line);

}  // namespace tailback::test
