// File names and arguments as they stand in a message.
#pragma once

#include <string>
#include <string_view>

namespace tailback {

// `text` in single quotes, made escape_for_terminal and not too long for a line.
std::string quoted_text(std::string_view text);

}  // namespace tailback
