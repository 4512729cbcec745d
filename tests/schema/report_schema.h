// Recordings against the JSON Schema that documents them (runtime/report/schema).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tailback::test {

// The schema itself. Throws std::runtime_error if it can't be read.
const nlohmann::json& report_schema();

// What the schema says against one line of a recording; empty if it is valid. Throws likewise.
std::vector<std::string> schema_faults(const nlohmann::json& line);

}  // namespace tailback::test
