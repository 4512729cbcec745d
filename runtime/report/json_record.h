// A record as one line of a recording. docs/recording-format.md describes the fields.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/values/record.h"

namespace tailback {

inline constexpr int kReportSchema = 2;

// Bounds on what a target can make us write. A string of more than kStringBytes is cut and ends in
// "…"; in a record whose stack could still take more than kStallLineBytes, strings are cut shorter.
inline constexpr size_t kStringBytes = 16384;
inline constexpr size_t kListedStringBytes = 256;
inline constexpr size_t kStallLineBytes = size_t{16} << 20;

// Ends in a newline and has no other. Bytes that are no UTF-8 are replaced by U+FFFD.
std::string json_line(const Record& record);

// The record's type: the word of its kind; of a finding of ThreadSanitizer that of its own type.
std::string_view type_of(const Record& record);

}  // namespace tailback
