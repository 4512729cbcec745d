// One line of a recording as a plain value: what json_record.h writes, read back. A line is hostile
// input: it may come from a damaged file, another tool or a later version.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/values/record.h"

namespace tailback {

// The line is no record. what() says why in a few words, without file or line.
class MalformedRecord : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The line is a record of another schema. what() is the schema as the line has it.
class UnknownSchema : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The line is a record of our schema whose type this version does not know. Later versions add
// types without a new schema number; readers step over them. what() is the type.
class UnknownType : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws MalformedRecord, UnknownSchema or UnknownType. Fields that a record can do without may be
// absent; unknown fields are ignored.
Record parse_record(std::string_view line);

}  // namespace tailback
