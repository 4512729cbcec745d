// Options from a file: tailback.toml, or what --config names.
#pragma once

#include <string>
#include <string_view>

#include "runtime/command/options.h"

namespace tailback {

inline constexpr char kConfigFile[] = "tailback.toml";

// A part of TOML: `key = value` lines and # comments, where a value is a "string" (escapes \" \\),
// a 'string', a whole number, or true or false. Keys are the options without their dashes. Throws
// LaunchError, whose line names file, line and key.
ConfigValues parse_config(std::string_view text, const std::string& name);

// Of the file `named`; of ./tailback.toml if it is empty and there is one. One of another user's is
// left alone, which is said on standard error: it could have us write files. Throws LaunchError.
ConfigValues read_config(const std::string& named);

}  // namespace tailback
