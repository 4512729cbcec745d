// Text from a target process, made safe to print. A target can name its threads, files and
// functions as it likes: with escape sequences, newlines, bytes that are no UTF-8, a megabyte long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailback {

enum class Cut { kEnd, kBeginning };

// The text with everything that would not print as itself written as an escape: \n, \t, \x1b for
// control characters, \xff for bytes that are no UTF-8, \u202e for marks that reorder or break
// lines. No more than `limit` columns; what is over is cut off and stands as "…".
std::string escape_for_terminal(std::string_view text, size_t limit, Cut cut = Cut::kEnd);

// Columns that escape_for_terminal text takes: one per code point.
size_t columns(std::string_view text);

// The longest prefix of at most `bytes` bytes that does not cut a UTF-8 sequence in two.
std::string_view utf8_prefix(std::string_view text, size_t bytes);

}  // namespace tailback
