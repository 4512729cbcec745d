// A plain value as one line of a recording. FORMAT.md describes the fields.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/values/record.h"

namespace tailback {

inline constexpr int kReportSchema = 1;

// Bounds on what a target can make us write. A string of more than kStringBytes is cut and ends in
// "…"; in a stall whose stack could still take more than kStallLineBytes, strings are cut shorter.
// A deeper stack loses its outermost frames and counts as incomplete.
inline constexpr size_t kStringBytes = 16384;
inline constexpr size_t kStackFrames = 1024;
// The distinct stacks of a stall's looks are shorter and so are their strings.
inline constexpr size_t kListedStacks = 24;
inline constexpr size_t kListedFrames = 64;
inline constexpr size_t kListedStringBytes = 256;
inline constexpr size_t kStallLineBytes = size_t{16} << 20;

// Each ends in a newline and has no other. Bytes that are no UTF-8 are replaced by U+FFFD.
std::string json_line(const SessionStart& start);
std::string json_line(const Stall& stall);
std::string json_line(const Note& note);
std::string json_line(const BlockingCall& blocking_call);
std::string json_line(const Deadlock& deadlock);
std::string json_line(const LockOrder& order);
std::string json_line(const Contention& contention);
std::string json_line(const SessionStatus& status);
std::string json_line(const SessionEnd& end);
std::string json_line(const Record& record);

}  // namespace tailback
