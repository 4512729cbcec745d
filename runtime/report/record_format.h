// The recording's format, made of the description of its fields: the schema's file and the field
// tables of docs/recording-format.md.
#pragma once

#include <string>

namespace tailback {

// A JSON Schema (draft 7) of all records and of the summary, and a newline.
std::string schema_text();

// Markdown: one table for each record, then one for each value that records are made of.
std::string field_tables();

}  // namespace tailback
