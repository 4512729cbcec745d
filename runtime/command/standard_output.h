// What the subcommands that print something share.
#pragma once

#include <string>
#include <string_view>

namespace tailback {

// One line on standard error, with the program's name before it.
void say(const std::string& line);

// Writes `text` to standard output. Returns false if that failed, having said so: "can't write WHAT
// to standard output: …".
bool print(std::string_view text, std::string_view what);

}  // namespace tailback
